import { beforeEach, expect, test } from "vitest";
import type { Say } from "../../api/wire";
import { Problem } from "../../problem";
import type { Shelf } from "../../shelf";
import { Outbox } from "../outbox.svelte";
import { FakeHost, cutOff, said, shelf, settle, until } from "./stand";

let host: FakeHost;
let disk: Shelf;
let last: number;
let moved: string[];
let outbox: Outbox;
/** What the gateway holds, by the client's id. */
let inbox: Map<string, { text: string; event: number }>;

const make = () => new Outbox(host, disk, () => last, (was, id) => void moved.push(`${was} ${id}`));

beforeEach(async () => {
    [host, disk, last, moved, inbox] = [new FakeHost(), await shelf(), 10, [], new Map()];
    host.answers["POST /api/stream/"] = (body) => {
        const { client_id, text } = body as Say;
        const known = inbox.get(client_id);
        const event = known?.event ?? 100 + inbox.size;
        inbox.set(client_id, { text, event });
        return { session_id: "s", event, message: event, fresh: !known };
    };
    outbox = make();
});

const texts = () => [...inbox.values()].map((words) => words.text);

test("words are on disk before they are sent, and off it once they are acknowledged", async () => {
    host.down = true;
    await outbox.say("s", "hello", [], "queue");
    expect((await disk.outbox()).map((u) => u.text)).toEqual(["hello"]);
    await settle();
    host.down = false;
    await outbox.flush();
    expect(texts()).toEqual(["hello"]);
    expect(await disk.outbox()).toEqual([]);
});

test("an answer that is lost on the way makes nobody say it twice", async () => {
    const deliver = host.answers["POST /api/stream/"];
    let answersLost = 3;
    host.answers["POST /api/stream/"] = (body, path) => {
        const answer = deliver?.(body, path);
        if (answersLost-- > 0) throw cutOff();
        return answer;
    };
    await outbox.say("s", "once", [], "queue");
    await until(() => {
        void outbox.flush();
        return outbox.all.every((u) => u.state === "sent");
    });
    expect(answersLost).toBe(-1);
    expect(texts()).toEqual(["once"]);
});

test("what was said offline is sent in order after the page was closed", async () => {
    host.down = true;
    for (const text of ["one", "two", "three"]) await outbox.say("s", text, [], "queue");
    await settle();
    host.down = false;
    const later = make();
    await later.restore();
    await until(() => inbox.size === 3);
    expect(texts()).toEqual(["one", "two", "three"]);
});

test("a page that closes in the middle of sending sends the same words under the same id", async () => {
    host.answers["POST /api/stream/"] = () => new Promise(() => {});
    await outbox.say("s", "cut off", [], "queue");
    const [first] = await disk.outbox();
    const ids: string[] = [];
    host.answers["POST /api/stream/"] = (body) => {
        ids.push((body as Say).client_id);
        return { session_id: "s", event: 1, message: 1, fresh: false };
    };
    await make().restore();
    await until(() => ids.length === 1);
    expect(ids).toEqual([first?.client_id]);
});

test("a session that is not open yet is opened once, and all its words follow it", async () => {
    const starts: unknown[] = [];
    host.answers = {
        "POST /api/stream/start": (body) => {
            starts.push((body as { client_id: string }).client_id);
            if (starts.length === 1) throw cutOff();
            return { session_id: "made", number: 1, state: "cold", last_event: 0 };
        },
        ...host.answers,
    };
    await outbox.say("new:k", "first", [], "queue", { permission_mode: "plan" });
    await outbox.say("new:k", "second", [], "queue");
    await outbox.flush();
    await until(() => inbox.size === 2);
    expect(starts).toEqual(["k", "k"]);
    expect(moved).toEqual(["new:k made"]);
    expect(host.asked.map((a) => a.path).filter((path) => path !== "/api/stream/start")).toEqual(["/api/stream/made", "/api/stream/made"]);
});

test("words that are refused are kept with the reason, and hold up no others", async () => {
    const deliver = host.answers["POST /api/stream/"];
    host.answers["POST /api/stream/"] = (body, path) => {
        if ((body as Say).text === "too long") throw new Problem("TOO_LARGE", "Too large.", "Say less.");
        return deliver?.(body, path);
    };
    await outbox.say("s", "too long", [], "queue");
    await outbox.say("s", "fine", [], "queue");
    await until(() => inbox.size === 1);
    expect(outbox.all.find((u) => u.text === "too long")).toMatchObject({ state: "refused", problem: { code: "TOO_LARGE", suggestion: "Say less." } });
    const [kept] = await disk.outbox();
    expect(kept?.text).toBe("too long");
    expect((await outbox.takeBack(kept?.client_id ?? ""))?.text).toBe("too long");
    expect(await disk.outbox()).toEqual([]);
});

test("a gateway that has too much to do is asked again when it says so", async () => {
    const busy = new Problem("TOO_MANY_REQUESTS", "Too many.", "Wait.");
    busy.retryAfter = 0.05;
    const deliver = host.answers["POST /api/stream/"];
    let refused = false;
    host.answers["POST /api/stream/"] = (body, path) => {
        if (!refused) {
            refused = true;
            throw busy;
        }
        return deliver?.(body, path);
    };
    await outbox.say("s", "patient", [], "queue");
    await until(() => inbox.size === 1);
});

test("words are shown until their event is here, and no longer", async () => {
    await outbox.say("s", "hello", [], "queue");
    await until(() => outbox.all[0]?.state === "sent");
    expect(outbox.shownIn("s")).toHaveLength(1);
    last = 100;
    outbox.hear(said(100, "hello"));
    expect(outbox.shownIn("s")).toEqual([]);
});

test("an event that comes before its acknowledgement is not shown beside the words", async () => {
    host.answers["POST /api/stream/"] = () => new Promise(() => {});
    await outbox.say("s", "hello", [], "queue");
    await settle();
    last = 100;
    outbox.hear(said(100, "hello"));
    expect(outbox.shownIn("s")).toEqual([]);
    expect(await disk.outbox()).toHaveLength(1);
});
