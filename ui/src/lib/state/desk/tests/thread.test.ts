import { beforeEach, expect, test } from "vitest";
import { said, until } from "../../tests/stand";
import { MOST, Thread } from "../thread.svelte";
import { FakeDesk } from "./stand";

let host: FakeDesk;
let thread: Thread;
let all: ReturnType<typeof said>[];

/** The gateway's history of session `s`: events 1 to `last`. */
function history(last: number): void {
    all = Array.from({ length: last }, (_, n) => said(n + 1, `words ${n + 1}`));
    host.answers["GET /api/sessions/s/events"] = (_body, path) => {
        const query = new URLSearchParams(path.split("?")[1]);
        const limit = Number(query.get("limit"));
        const after = query.get("after");
        if (after !== null) {
            const later = all.filter((e) => e.seq > Number(after));
            return { events: later.slice(0, limit), more: later.length > limit };
        }
        const earlier = all.filter((e) => e.seq < Number(query.get("before") ?? Infinity));
        return { events: earlier.slice(-limit), more: earlier.length > limit };
    };
}

beforeEach(() => {
    host = new FakeDesk();
    thread = new Thread("s", host);
});

const seqs = () => thread.facts.map((fact) => fact.seq);
const whole = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

test("it opens at its end, and pages lead back to its beginning without a gap", async () => {
    history(1_000);
    await thread.load();
    expect([seqs().at(-1), thread.start, thread.end]).toEqual([1_000, false, true]);
    while (!thread.start) await thread.older();
    expect(seqs()).toEqual(whole(1, 1_000));
});

test("however far one reads, no more than a part is held, and it stays without a gap", async () => {
    history(6_000);
    await thread.load();
    while (!thread.start) {
        await thread.older();
        thread.trim("end");
        expect(thread.facts.length).toBeLessThanOrEqual(MOST);
    }
    expect(seqs()).toEqual(whole(1, MOST));
    expect(thread.end).toBe(false);
    while (!thread.end) {
        await thread.newer();
        thread.trim("start");
    }
    expect(seqs()).toEqual(whole(6_000 - MOST + 1, 6_000));
    expect(thread.start).toBe(false);
});

test("what is near is not let go, however much it is", async () => {
    history(4_000);
    await thread.load();
    while (!thread.start) await thread.older();
    expect(thread.trim("end", 2_500)).toBe(true);
    expect(seqs()).toEqual(whole(1, 2_500));
    expect(thread.trim("start", 401)).toBe(true);
    expect(seqs()).toEqual(whole(401, 2_500));
    expect([thread.trim("start", 300), thread.trim("end", Infinity)]).toEqual([false, false]);
    expect(thread.trim("start", 2_400)).toBe(true);
    expect(seqs()).toEqual(whole(2_500 - MOST + 1, 2_500));
});

test("a place in the middle is opened from both sides", async () => {
    history(3_000);
    await thread.load(1_500);
    expect(thread.has(1_500)).toBe(true);
    expect(seqs()).toEqual(whole(1_301, 1_700));
    expect([thread.start, thread.end]).toEqual([false, false]);
});

test("away from the end what is said now waits there; at the end it shows at once", async () => {
    history(3_000);
    await thread.load(500);
    all.push(said(3_001, "new"));
    thread.hear(said(3_001, "new"));
    expect(thread.has(3_001)).toBe(false);
    await thread.load();
    thread.hear(said(3_002, "newer"));
    expect(seqs().slice(-2)).toEqual([3_001, 3_002]);
});

test("what is heard while history loads is neither lost nor doubled", async () => {
    history(5);
    const loading = thread.load();
    for (const seq of [4, 5, 6]) thread.hear(said(seq, `words ${seq}`));
    await loading;
    expect(seqs()).toEqual([1, 2, 3, 4, 5, 6]);
});

/** The next page waits at the gateway, which has read it already. */
function hold(): () => void {
    const answer = host.answers["GET /api/sessions/s/events"]!;
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    host.answers["GET /api/sessions/s/events"] = async (body, path) => {
        const page = answer(body, path);
        await held;
        return page;
    };
    return release;
}

function says(seq: number): void {
    all.push(said(seq, "new"));
    thread.hear(said(seq, "new"));
}

test("what is said while the pages around a place near the end come is shown after them", async () => {
    history(1_000);
    await thread.load();
    const release = hold();
    const around = thread.load(850);
    says(1_001);
    release();
    await around;
    expect([seqs(), thread.end]).toEqual([whole(651, 1_001), true]);
});

test("what is said while a page in the middle comes waits at the end", async () => {
    history(2_000);
    await thread.load(700);
    const release = hold();
    const newer = thread.newer();
    says(2_001);
    release();
    await newer;
    expect([seqs(), thread.end]).toEqual([whole(501, 1_100), false]);
});

test("what is said while the last page comes is shown after it", async () => {
    history(1_000);
    await thread.load(700);
    const release = hold();
    const newer = thread.newer();
    [1_001, 1_002].forEach(says);
    release();
    await newer;
    expect([seqs(), thread.end]).toEqual([whole(501, 1_002), true]);
});

test("what is said while the missed is fetched is shown after it", async () => {
    history(20);
    await thread.load();
    all.push(said(21, "missed"));
    const release = hold();
    const again = thread.again();
    says(22);
    release();
    await again;
    expect([seqs(), thread.end]).toEqual([whole(1, 22), true]);
});

test("a page that was read before the line came back is asked for anew", async () => {
    history(20);
    const release = hold();
    const loading = thread.load();
    all.push(said(21, "missed"));
    void thread.again();
    says(22);
    release();
    await loading;
    expect([seqs(), thread.end]).toEqual([whole(1, 22), true]);
});

test("the beginning of what was imported is where its numbers begin, below 0", async () => {
    history(0);
    all = Array.from({ length: 700 }, (_, n) => said(n - 600, "old"));
    await thread.load();
    await thread.begin();
    expect([seqs(), thread.start]).toEqual([whole(-600, -401), true]);
});

test("a later wish takes the place of a page that is still on its way", async () => {
    history(2_000);
    await thread.load();
    const older = thread.older();
    await thread.load(100);
    await older;
    expect(seqs()).toEqual(whole(1, 300));
});

test("whoever scrolls while the latest come does not call them off", async () => {
    history(3_000);
    await thread.load(1_500);
    const release = hold();
    const pages = [thread.older(), thread.load(), thread.older(), thread.newer()];
    expect(thread.fetching).toBe("place");
    release();
    await Promise.all(pages);
    expect([seqs(), thread.end, thread.fetching]).toEqual([whole(2_801, 3_000), true, null]);
    await thread.older();
    expect(seqs()).toEqual(whole(2_601, 3_000));
});

test("a page that was called off by a leap leaves it under way", async () => {
    history(3_000);
    await thread.load(1_500);
    const releaseOlder = hold();
    const older = thread.older();
    const releaseLeap = hold();
    const leap = thread.load();
    releaseOlder();
    await older;
    const newer = thread.newer();
    releaseLeap();
    await Promise.all([leap, newer]);
    expect([seqs(), thread.end]).toEqual([whole(2_801, 3_000), true]);
});

test("a line that comes back during a leap leads nobody elsewhere", async () => {
    history(3_000);
    await thread.load();
    const release = hold();
    const around = thread.load(500);
    const again = thread.again();
    release();
    await Promise.all([around, again]);
    expect([seqs(), thread.end]).toEqual([whole(301, 700), false]);
});

test("a leap that fails leaves what is held, and the next that is asked comes", async () => {
    history(3_000);
    await thread.load(1_500);
    host.down = true;
    await thread.load();
    expect([seqs(), thread.problem?.code, thread.fetching]).toEqual([whole(1_301, 1_700), "UNREACHABLE", null]);
    host.down = false;
    await thread.load();
    expect([seqs().at(-1), thread.end, thread.problem]).toEqual([3_000, true, null]);
});

test("after the line was down what was missed is fetched", async () => {
    history(20);
    await thread.load();
    for (let seq = 21; seq <= 40; seq++) all.push(said(seq, "missed"));
    await thread.again();
    expect(seqs()).toEqual(whole(1, 40));
});

test("a page that fails says so and leaves what is held; asked again it comes", async () => {
    history(900);
    await thread.load();
    host.down = true;
    await thread.older();
    expect([thread.face, thread.problem?.code, thread.facts.length]).toEqual(["ready", "UNREACHABLE", 200]);
    host.down = false;
    await thread.older();
    expect([thread.problem, thread.facts.length]).toEqual([null, 400]);
});

test("words being written give way to the text that is kept", async () => {
    history(0);
    await thread.load();
    thread.hear({ type: "streamData", data: { kind: "partial", session_id: "s", message: "m", block: 0, offset: 0, text: "Hello", thinking: false } });
    await until(() => thread.blocks.length === 1);
    thread.hear({ seq: 7, type: "streamData", data: { kind: "text", session_id: "s", at: 1, turn: "t", message: "m", text: "Hello you" } });
    expect([thread.blocks.length, thread.items.map((item) => item.kind)]).toEqual([0, ["text"]]);
});

test("a line that comes back twice fetches what it could not the first time", async () => {
    history(300);
    await thread.load();
    history(310);
    host.down = true;
    await thread.again();
    expect([thread.end, thread.problem?.code]).toEqual([false, "UNREACHABLE"]);
    host.down = false;
    await thread.again();
    expect([seqs().at(-1), thread.end, thread.problem]).toEqual([310, true, null]);
});
