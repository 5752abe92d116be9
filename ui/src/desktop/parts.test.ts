import { fireEvent, render, screen } from "@testing-library/svelte";
import { beforeEach, expect, test, vi } from "vitest";
import { DESK, Desk } from "../lib/state/desk/desk.svelte";
import { FakeDesk } from "../lib/state/desk/tests/stand";
import { HERE } from "../lib/state/here";
import Checkup from "./parts/Checkup.svelte";

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
