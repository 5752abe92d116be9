// Screens that have nothing yet: they say whether they wait, or why they cannot go on.

import { fireEvent, screen } from "@testing-library/svelte";
import { expect, test } from "vitest";
import { until } from "../../lib/state/tests/stand";
import { phone as make, show } from "../parts/tests/stand";
import ApprovalsScreen from "./ApprovalsScreen.svelte";
import SessionsScreen from "./SessionsScreen.svelte";

for (const [name, open] of Object.entries({
    sessions: (phone: Parameters<typeof show>[1]) => show(SessionsScreen, phone, { q: "" }),
    approvals: (phone: Parameters<typeof show>[1]) => show(ApprovalsScreen, phone, {}),
})) {
    test(`${name}: waits, then says that the computer does not answer, and tries again`, async () => {
        const { phone, host } = await make();
        await phone.live();
        open(phone);
        expect(screen.getByText(/Asking your computer/)).toBeTruthy();
        host.cut();
        expect((await screen.findByRole("heading", { name: "Your computer does not answer" })).tagName).toBe("H1");
        const before = host.lines.length;
        await fireEvent.click(screen.getByRole("button", { name: "Try again" }));
        await until(() => host.lines.length > before);
        host.greet();
        expect(await screen.findByText(name === "sessions" ? "No sessions yet" : "Nothing needs you")).toBeTruthy();
        phone.connection.stop();
    });
}
