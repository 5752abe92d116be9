import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Frame } from "../../api/wire";
import { Problem } from "../../problem";
import { Connection, type Listener } from "../connection.svelte";
import { FakeHost, said } from "./stand";

let host: FakeHost;
let heard: number[];
let shut: string[];
let anew: number;
let connection: Connection;

const listener: Listener = {
    welcome: () => {},
    frame: (frame: Frame) => void (frame.seq !== undefined && heard.push(frame.seq)),
    caughtUp: () => {},
    anew: async () => void anew++,
    shutOut: (problem) => void shut.push(problem.code),
    outdated: () => void shut.push("outdated"),
};

beforeEach(() => {
    vi.useFakeTimers();
    [host, heard, shut, anew] = [new FakeHost(), [], [], 0];
    connection = new Connection(host, listener, () => 1);
});

afterEach(() => {
    connection.stop();
    vi.useRealTimers();
    vi.restoreAllMocks();
});

/** Sends what is after the line's cursor, and breaks the line after `most` frames. */
function serve(most: number): void {
    host.greet();
    const { hears, after } = host.line;
    let left = most;
    for (const event of host.events) {
        if (event.seq <= (after ?? 0)) continue;
        if (left-- === 0) return host.cut();
        hears.frame(event);
    }
    hears.frame({ type: "caughtUp", data: { last_event: host.events.at(-1)?.seq ?? 0 } });
}

test("a line that is cut anywhere misses nothing and says nothing twice", () => {
    // Every seed cuts elsewhere; the numbers have gaps, as those of one gateway's sessions do.
    for (let seed = 1; seed <= 40; seed++) {
        [host, heard] = [new FakeHost(), []];
        let state = seed;
        const random = (below: number) => (state = (state * 48_271) % 2_147_483_647) % below;
        let seq = 0;
        for (let n = 0; n < 60; n++) host.events.push(said((seq += 1 + random(3)), `words ${n}`));
        connection = new Connection(host, listener, () => 0);
        connection.start(0);
        for (let cuts = 0; cuts < 200 && connection.standing !== "live"; cuts++) {
            serve(random(9));
            vi.advanceTimersByTime(31_000);
        }
        expect(heard, `seed ${seed}`).toEqual(host.events.map((e) => e.seq));
        connection.stop();
    }
});

test("a frame that comes twice is heard once", () => {
    host.events.push(said(5, "old"));
    connection.start(5);
    host.greet();
    host.line.hears.frame(said(5, "old"));
    host.line.hears.frame(said(6, "new"));
    host.line.hears.frame(said(6, "new"));
    expect(heard).toEqual([6]);
    expect(connection.cursor).toBe(6);
});

test("without a cursor the line goes on from now", () => {
    host.events.push(said(41, "before"));
    connection.start(null);
    expect(host.line.after).toBeNull();
    host.greet();
    expect(connection.cursor).toBe(41);
});

test("a gateway whose history is another one starts the phone anew", async () => {
    host.events.push(said(3, "a"));
    connection.start(900);
    host.greet();
    expect(anew).toBe(1);
    await vi.advanceTimersByTimeAsync(0);
    expect(host.line.after).toBeNull();
});

test("it tries again ever later, and at once when the network is back", () => {
    connection.start(0);
    const waits: number[] = [];
    for (let n = 0; n < 8; n++) {
        const tries = host.lines.length;
        host.cut();
        let waited = 0;
        while (host.lines.length === tries && waited < 60_000) {
            vi.advanceTimersByTime(250);
            waited += 250;
        }
        waits.push(waited);
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    host.cut();
    window.dispatchEvent(new Event("online"));
    expect(host.lines.at(-1)?.open).toBe(true);
});

test("a line that answers no ping is dead", () => {
    connection.start(0);
    host.greet();
    const { line } = host;
    vi.advanceTimersByTime(25_000);
    expect(host.sent).toContain("ping");
    vi.advanceTimersByTime(8_000);
    expect(line.open).toBe(false);
    expect(connection.standing).toBe("connecting");
});

test("an answered ping keeps it", () => {
    connection.start(0);
    host.greet();
    const { line } = host;
    for (let n = 0; n < 10; n++) {
        vi.advanceTimersByTime(25_000);
        line.hears.frame({ type: "pong", data: { now: 0 } });
    }
    expect(line.open).toBe(true);
});

test("a phone that was taken off tries no more", () => {
    connection.start(0);
    host.line.hears.closed(new Problem("PHONE_REVOKED", "Off.", ""));
    vi.advanceTimersByTime(120_000);
    expect(shut).toEqual(["PHONE_REVOKED"]);
    expect(host.lines).toHaveLength(1);
});

test("a gateway of another protocol is not spoken to", () => {
    host.welcome = { protocol: 2 };
    connection.start(0);
    host.greet();
    expect(shut).toEqual(["outdated"]);
});

test("offline it waits for the network and not for a clock", () => {
    const online = vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
    connection.start(0);
    expect(connection.standing).toBe("offline");
    vi.advanceTimersByTime(300_000);
    expect(host.lines).toHaveLength(0);
    online.mockReturnValue(true);
    window.dispatchEvent(new Event("online"));
    expect(host.lines).toHaveLength(1);
});

test("words of a line that was given up are not heard", () => {
    connection.start(0);
    host.greet();
    const old = host.line;
    host.cut();
    vi.advanceTimersByTime(1_000);
    host.greet();
    old.hears.frame(said(9, "late"));
    expect(heard).toEqual([]);
});

test("a phone that comes home goes on by the nearer address, after the last event", async () => {
    host.events.push(said(3, "before"));
    connection.start(3);
    host.couldBeNear = true;
    host.greet();
    host.line.hears.frame({ type: "caughtUp", data: { last_event: 3 } });
    await vi.advanceTimersByTimeAsync(0);
    expect([host.lines.length, host.lines[0]?.open, host.line.after]).toEqual([2, false, 3]);
    host.isNear = true;
    host.greet();
    host.line.hears.frame({ type: "caughtUp", data: { last_event: 3 } });
    await vi.advanceTimersByTimeAsync(0);
    expect([host.lines.length, connection.near]).toEqual([2, true]);
});
