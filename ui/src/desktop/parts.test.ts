import { fireEvent, render, screen } from "@testing-library/svelte";
import { beforeEach, expect, test, vi } from "vitest";
import { DESK, Desk } from "../lib/state/desk/desk.svelte";
import { FakeDesk, asked } from "../lib/state/desk/tests/stand";
import { Problem } from "../lib/problem";
import { HERE } from "../lib/state/here";
import { clock } from "../lib/state/clock.svelte";
import type { Field } from "../lib/api/desk";
import AuditCard from "./parts/AuditCard.svelte";
import Checkup from "./parts/Checkup.svelte";
import FieldRow from "./parts/FieldRow.svelte";
import LockCard from "./parts/LockCard.svelte";
import SessionList from "./parts/SessionList.svelte";
import ActivityScreen from "./screens/ActivityScreen.svelte";
import SettingsScreen from "./screens/SettingsScreen.svelte";

let host: FakeDesk;
let desk: Desk;

beforeEach(() => {
    host = new FakeDesk();
    desk = new Desk(host);
});

const around = () => ({ context: new Map<symbol, unknown>([[DESK, desk], [HERE, desk]]) });
const press = async (name: string) => fireEvent.click(await screen.findByRole("button", { name }));

test("the check-up shows both rows after the address is mended by opening the tunnel", async () => {
    const finding = { state: "broken", says: "It is closed.", mend: "", fix: null, fix_label: null, link: null };
    host.answers = {
        "GET /doctor": () => [{ ...finding, what: "address", fix: "tunnel.open" }, { ...finding, what: "tunnel" }],
        "POST /mend/tunnel.open": () => ({ ...finding, what: "tunnel", state: "note", says: "It is opening." }),
        "GET /home": () => ({ sandbox: { image: {} } }),
    };
    render(Checkup, around());
    await press("Mend it");
    expect(await screen.findByText("It is opening.")).toBeTruthy();
    expect(screen.getAllByText(/^(Public address|Tunnel)$/)).toHaveLength(2);
});

test("a day that comes twice, for the clock was put right, is shown twice", async () => {
    const item = (id: string, daysAgo: number) => ({ id, kind: "turn", at: clock.now - daysAgo * 86_400_000, title: `What ${id} did`, detail: "", who: "", channel: null, from: null, session_id: null, session_number: null });
    host.answers = { "GET /activity": () => ({ items: [item("c", 0), item("b", 3), item("a", 0)] }) };
    render(ActivityScreen, around());
    expect(await screen.findByText("What a did")).toBeTruthy();
    expect(screen.getAllByRole("heading", { name: "Today" })).toHaveLength(2);
});

test("a lock of which two parts fail tells of both and is tried again; whoever comes back may lock once more", async () => {
    const problem = { code: "INTERNAL", message: "Something broke.", suggestion: "Look at the log." };
    const answers = [{ says: ["No phone may come in."], failed: [problem, problem] }, { says: ["All is shut."], failed: [] }];
    let locked = false;
    host.answers = { "POST /lock": () => ((locked = true), answers.shift()), "GET /home": () => ({ locked }), "POST /unlock": () => (locked = false), "GET /": () => ({ phones: [], tokens: [] }) };
    const { unmount } = render(LockCard, around());
    await press("Lock everything");
    await press("Yes, lock everything");
    expect(await screen.findAllByText("Something broke.")).toHaveLength(2);
    await press("Try again");
    expect(await screen.findByText("All is shut.")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Lock everything" })).toBeNull();
    await press("Unlock");
    unmount();
    render(LockCard, around());
    expect(await screen.findByRole("button", { name: "Lock everything" })).toBeTruthy();
});

test("an audit that is whole says how far it is signed, and one that is broken is an alert", async () => {
    const looks: [object, RegExp][] = [
        [{ rows: 0, signed: null, cut: null, broken: null }, /^Nothing stands in it yet\.$/],
        [{ rows: 1, signed: null, broken: null }, /^Whole: its one row stands as it was written, not signed yet\.$/],
        [{ rows: 12, signed: 11, broken: null }, /^Whole: all 12 rows stand as they were written, signed up to row 11\.$/],
    ];
    render(AuditCard, around());
    for (const [found, words] of looks) {
        host.answers = { "POST /audit/verify": () => found };
        await press("Check now");
        await vi.waitFor(() => expect(screen.getByRole("status").textContent?.trim()).toMatch(words));
        expect(screen.queryByRole("alert")).toBeNull();
    }
    host.answers = { "POST /audit/verify": () => ({ rows: 12, signed: 11, broken: { from: 4, to: 4, says: "Row 4 was taken out." } }) };
    await press("Check now");
    expect((await screen.findByRole("alert")).textContent).toContain("The audit was tampered with. Row 4 was taken out.");
    expect(screen.getByRole("status").textContent?.trim()).toBe("");
});

test("a restart from the settings cuts off no turn before that is wished", async () => {
    host.answers = {
        "GET /settings": () => ({ values: {}, fields: [], path: "", restart_needed: true, waiting: [] }),
        "GET /home": () => ({ working: 1, restart_needed: true, sandbox: { image: {} } }),
        "POST /restart": (body) => {
            if (!(body as { force: boolean }).force) throw new Problem("TURN_RUNNING", "An agent is at work; this would end its turn.", "Wait for it.");
        },
    };
    render(SettingsScreen, around());
    await press("Restart now");
    expect((await screen.findByRole("alert")).textContent).toContain("A turn runs");
    expect(asked(host, "POST /restart")).toEqual([{ force: false }]);
    await press("Restart anyway");
    expect(asked(host, "POST /restart")).toEqual([{ force: false }, { force: true }]);
});

test("a setting of several lines keeps them when it is edited", async () => {
    const field: Field = { key: "agent.instructions", kind: "lines", label: "Instructions", help: "", section: "Agent", default: "", restart: false, advanced: false };
    host.answers = { "GET /settings": () => ({ values: { agent: { instructions: "Be short.\nBe kind." } }, fields: [field] }) };
    await desk.settings.kept.load();
    render(FieldRow, { props: { field }, ...around() });
    const box = screen.getByLabelText<HTMLTextAreaElement>("Instructions");
    expect(box.value).toBe("Be short.\nBe kind.");
    await fireEvent.input(box, { target: { value: `${box.value}\nBe done.` } });
    expect(desk.settings.changed.get(field.key)).toBe("Be short.\nBe kind.\nBe done.");
});

test("sessions that were imported can be chosen by their agent", async () => {
    const session = { id: "s", number: 1, title: "Old", agent: "imported", state: "cold", tags: [], last_at: 1, tokens: {}, cost_dollars: 0 };
    host.answers = { "GET /api/sessions": () => ({ sessions: [session], next: null }) };
    desk.house.info = { agents: ["default"] } as never;
    render(SessionList, { props: { current: null }, ...around() });
    await press("Filter");
    const agents = await screen.findByRole<HTMLSelectElement>("combobox", { name: "Agent" });
    expect([...agents.options].map(({ value }) => value)).toEqual(["", "default", "imported"]);
    await fireEvent.change(agents, { target: { value: "imported" } });
    expect(host.asked.at(-1)?.path).toContain("agent=imported");
    expect(agents.value).toBe("imported");
});
