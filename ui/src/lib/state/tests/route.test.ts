import { expect, test } from "vitest";
import { type Route, address, routeIn } from "../route.svelte";

test("every place has an address that leads back to it", () => {
    const places: Route[] = [
        { at: "chat", session: null, seq: null },
        { at: "chat", session: "abc", seq: null },
        { at: "chat", session: "abc", seq: 41 },
        { at: "sessions", q: "" },
        { at: "sessions", q: "ö & ?" },
        { at: "approvals" },
        { at: "approval", id: "x" },
        { at: "tasks" },
        { at: "task", id: 12 },
        { at: "wish" },
        { at: "more" },
    ];
    for (const place of places) expect(routeIn(address(place).slice(1))).toEqual(place);
});

test("an address that leads nowhere leads to the chat", () => {
    for (const hash of ["", "#", "#/", "#/nonsense/x", "#c=code"]) expect(routeIn(hash)).toEqual({ at: "chat", session: null, seq: null });
});
