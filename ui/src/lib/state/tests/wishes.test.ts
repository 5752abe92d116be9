import { openDB } from "idb";
import { beforeEach, expect, test } from "vitest";
import type { MakeTask, TaskShown } from "../../api/wire";
import { Problem } from "../../problem";
import { Shelf } from "../../shelf";
import { Wishes } from "../wishes.svelte";
import { FakeHost, cutOff, shelf, task, until } from "./stand";

let host: FakeHost;
let disk: Shelf;
let live: boolean;
let made: TaskShown[];
let wishes: Wishes;
/** What the gateway holds, by the client's id. */
let queue: Map<string, TaskShown>;

const wish = (prompt: string): MakeTask => ({ repository: "acme/shop", prompt });
const make = () => new Wishes(host, disk, () => live, (task) => void made.push(task));
const prompts = () => [...queue.values()].map(({ prompt }) => prompt);

beforeEach(async () => {
    [host, disk, live, made, queue] = [new FakeHost(), await shelf(), true, [], new Map()];
    host.answers["POST /api/tasks"] = (body) => {
        const { client_id = "", prompt } = body as MakeTask;
        const known = queue.get(client_id) ?? task(queue.size + 1, { prompt });
        queue.set(client_id, known);
        return known;
    };
    wishes = make();
});

test("a wish is granted at once where there is a line", async () => {
    expect(await wishes.make(wish("Fix it"))).toMatchObject({ kind: "made", task: { id: 1, prompt: "Fix it" } });
    expect([made.length, wishes.all, await disk.wishes()]).toEqual([1, [], []]);
});

test("made without a line it waits on disk, and is sent in order after the page was closed", async () => {
    [live, host.down] = [false, true];
    for (const prompt of ["one", "two", "three"]) expect(await wishes.make(wish(prompt))).toEqual({ kind: "waits" });
    expect([host.asked.length, (await disk.wishes()).length]).toEqual([0, 3]);
    [live, host.down] = [true, false];
    const later = make();
    await later.restore();
    await until(() => queue.size === 3);
    await until(() => later.all.length === 0);
    expect([prompts(), await disk.wishes()]).toEqual([["one", "two", "three"], []]);
});

test("an answer that is lost on the way makes no second task", async () => {
    const grant = host.answers["POST /api/tasks"];
    let answersLost = 3;
    host.answers["POST /api/tasks"] = (body, path) => {
        const answer = grant?.(body, path);
        if (answersLost-- > 0) throw cutOff();
        return answer;
    };
    expect(await wishes.make(wish("once"))).toEqual({ kind: "waits" });
    await until(() => {
        void wishes.flush();
        return wishes.all.length === 0;
    });
    expect([answersLost, prompts(), made.length]).toEqual([-1, ["once"], 1]);
});

test("a page that closes in the middle of sending sends the same wish under the same id", async () => {
    host.answers["POST /api/tasks"] = () => new Promise(() => {});
    void wishes.make(wish("cut off"));
    await until(() => host.asked.length === 1);
    const [first] = await disk.wishes();
    host.answers["POST /api/tasks"] = () => task(1);
    await make().restore();
    await until(() => made.length === 1);
    expect(host.asked.map(({ body }) => (body as MakeTask).client_id)).toEqual([first?.client_id, first?.client_id]);
});

test("what is refused at once goes back to the form with the reason, and is kept nowhere", async () => {
    host.answers["POST /api/tasks"] = () => {
        throw new Problem("BAD_REQUEST", "It names no repository.", "Write it as acme/shop.");
    };
    expect(await wishes.make(wish("x"))).toEqual({ kind: "refused", problem: { code: "BAD_REQUEST", message: "It names no repository.", suggestion: "Write it as acme/shop." } });
    expect([wishes.all, await disk.wishes()]).toEqual([[], []]);
});

test("what is refused later is kept with the reason, holds up no other, and can be changed", async () => {
    const grant = host.answers["POST /api/tasks"];
    host.answers["POST /api/tasks"] = (body, path) => {
        if ((body as MakeTask).prompt === "bad") throw new Problem("BAD_REQUEST", "No.", "Say it otherwise.");
        return grant?.(body, path);
    };
    live = false;
    await wishes.make({ ...wish("bad"), budget_dollars: 3 });
    await wishes.make(wish("fine"));
    live = true;
    await wishes.flush();
    expect(prompts()).toEqual(["fine"]);
    expect(wishes.all).toMatchObject([{ state: "refused", problem: { suggestion: "Say it otherwise." } }]);
    expect((await disk.wishes())[0]?.state).toBe("refused");
    expect(await wishes.edit(wishes.all[0]?.client_id ?? "", 0)).toBe(true);
    expect(wishes.draft).toMatchObject({ prompt: "bad", budget: "3" });
    expect([wishes.all, await disk.wishes()]).toEqual([[], []]);
});

test("one that waits is taken back, and never sent", async () => {
    live = false;
    await wishes.make(wish("never mind"));
    const id = wishes.all[0]?.client_id ?? "";
    expect((await wishes.takeBack(id))?.make.prompt).toBe("never mind");
    live = true;
    await wishes.flush();
    expect([host.asked.length, await disk.wishes()]).toEqual([0, []]);
});

test("one that is being sent cannot be taken back", async () => {
    host.answers["POST /api/tasks"] = () => new Promise(() => {});
    void wishes.make(wish("on its way"));
    await until(() => host.asked.length === 1);
    expect(await wishes.takeBack(wishes.all[0]?.client_id ?? "")).toBeUndefined();
});

test("what a phone kept from before there were tasks is still there", async () => {
    const old = await openDB("test-old", 1, { upgrade: (db) => void ["self", "spans", "outbox", "notes"].forEach((name) => (name === "self" || name === "notes" ? db.createObjectStore(name) : db.createObjectStore(name, { keyPath: name === "spans" ? "session_id" : "client_id" }))) });
    await old.put("notes", "kept", "word");
    old.close();
    const now = await Shelf.open("test-old");
    expect([await now.note("word"), await now.wishes()]).toEqual(["kept", []]);
});
