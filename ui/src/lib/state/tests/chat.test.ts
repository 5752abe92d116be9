import { beforeEach, expect, test } from "vitest";
import type { Frame } from "../../api/wire";
import type { Shelf } from "../../shelf";
import { Chat } from "../chat.svelte";
import { FakeHost, said, shelf, until } from "./stand";

let host: FakeHost;
let disk: Shelf;

/** The gateway's history of session `s`: events 1 to `last`. */
function history(last: number): void {
    const all = Array.from({ length: last }, (_, n) => said(n + 1, `words ${n + 1}`));
    host.answers["GET /api/sessions/s/events"] = (_body, path) => {
        const query = new URLSearchParams(path.split("?")[1]);
        const before = all.filter((e) => e.seq < Number(query.get("before") ?? Infinity));
        const limit = Number(query.get("limit"));
        return { events: before.slice(-limit), more: before.length > limit };
    };
}

beforeEach(async () => {
    [host, disk] = [new FakeHost(), await shelf()];
});

const seqs = (chat: Chat) => chat.facts.map((f) => f.seq);

test("history comes from the gateway once, and from this phone ever after", async () => {
    history(30);
    await new Chat("s", host, disk).load();
    host.down = true;
    const again = new Chat("s", host, disk);
    await again.load();
    expect([again.face, again.facts.length, again.start]).toEqual(["ready", 30, true]);
});

test("without a line and without history it says so, and loads when asked again", async () => {
    host.down = true;
    const chat = new Chat("s", host, disk);
    await chat.load();
    expect([chat.face, chat.problem?.code]).toEqual(["failed", "UNREACHABLE"]);
    host.down = false;
    history(3);
    await chat.retry();
    expect([chat.face, seqs(chat)]).toEqual(["ready", [1, 2, 3]]);
});

test("what is heard while history loads is neither lost nor doubled", async () => {
    history(5);
    const chat = new Chat("s", host, disk);
    const loading = chat.load();
    for (const seq of [4, 5, 6]) chat.hear(said(seq, `words ${seq}`));
    await loading;
    expect(seqs(chat)).toEqual([1, 2, 3, 4, 5, 6]);
});

test("older pages come until the beginning, each event once", async () => {
    history(250);
    const chat = new Chat("s", host, disk);
    await chat.load();
    expect(chat.start).toBe(false);
    while (!chat.start) await chat.older();
    expect(seqs(chat)).toEqual(Array.from({ length: 250 }, (_, n) => n + 1));
});

test("a search hit far back is reached", async () => {
    history(400);
    const chat = new Chat("s", host, disk);
    await chat.load();
    expect(await chat.reach(7)).toBe(true);
    expect(await chat.reach(9_999)).toBe(false);
});

const partial = (offset: number, text: string): Frame => ({ type: "streamData", data: { kind: "partial", session_id: "s", message: "m", block: 0, offset, text, thinking: false } });
const text = (seq: number, words: string): Frame => ({ seq, type: "streamData", data: { kind: "text", session_id: "s", at: 1, turn: "t", message: "m", text: words } });

test("words being written give way to the text that is kept", async () => {
    history(0);
    const chat = new Chat("s", host, disk);
    await chat.load();
    chat.hear(partial(0, "Hello "));
    chat.hear(partial(9, "later"));
    await until(() => chat.blocks.length === 1);
    expect(chat.blocks[0]?.pieces).toHaveLength(2);
    chat.hear(text(5, "Hello my later"));
    expect(chat.blocks).toEqual([]);
    expect(chat.items.map((i) => i.kind)).toEqual(["text"]);
});

test("a line that breaks takes half-written words away, for their text will come whole", async () => {
    history(0);
    const chat = new Chat("s", host, disk);
    await chat.load();
    chat.hear(partial(0, "Hel"));
    await until(() => chat.blocks.length === 1);
    chat.cut();
    expect(chat.blocks).toEqual([]);
    chat.hear(partial(7, "more"));
    await until(() => chat.blocks.length === 1);
    chat.hear(text(6, "Hello, more"));
    expect(chat.blocks).toEqual([]);
});
