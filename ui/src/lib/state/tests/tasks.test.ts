import { beforeEach, expect, test } from "vitest";
import type { TaskShown } from "../../api/wire";
import { Problem } from "../../problem";
import { Tasks } from "../tasks.svelte";
import { FakeHost, task, until } from "./stand";

let host: FakeHost;
let tasks: Tasks;

beforeEach(() => {
    host = new FakeHost();
    tasks = new Tasks(host);
});

const ids = () => tasks.list.map(({ id }) => id);
const range = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, n) => task(from - n));
const update = (data: TaskShown) => tasks.hear({ type: "taskUpdate", data });

test("the newest come with the welcome, and change as it is told", async () => {
    await tasks.welcome([task(2), task(1, { state: "done" })]);
    update(task(2, { state: "working", doing: "Bash" }));
    update(task(3, { state: "needs_you" }));
    update(task(4));
    expect(ids()).toEqual([4, 3, 2, 1]);
    expect([tasks.needsYou, tasks.atWork, tasks.queued, tasks.get(2)?.doing]).toEqual([1, 1, 1, "Bash"]);
});

test("a welcome is the whole truth about the newest: what it does not name is no more", async () => {
    tasks.restore([task(9), task(8, { state: "working" })]);
    await tasks.welcome([task(8, { state: "done" })]);
    expect([ids(), tasks.get(8)?.state, tasks.next]).toEqual([[8], "done", null]);
});

test("older ones come by the page, until there are no more", async () => {
    const pages: Record<string, unknown> = { "71": { tasks: range(70, 21), next: 21 }, "21": { tasks: range(20, 1), next: null } };
    host.answers = { "GET /api/tasks?before=": (_body, path) => pages[/before=(\d+)/.exec(path)?.[1] ?? ""] };
    await tasks.welcome(range(100, 71));
    expect(tasks.next).toBe(71);
    await tasks.more();
    await tasks.more();
    await tasks.more();
    expect([tasks.list.length, tasks.next, host.asked.length]).toEqual([100, null, 2]);
});

test("older ones that were looked at are asked for anew when the line is back", async () => {
    host.answers = { "GET /api/tasks?before=71": () => ({ tasks: range(70, 21).map((one) => (one.id === 50 ? { ...one, state: "done" } : one)), next: 21 }) };
    tasks.restore([...range(100, 71), task(50, { state: "working" })]);
    await tasks.welcome(range(100, 71));
    expect([tasks.get(50)?.state, tasks.next]).toEqual(["done", 21]);
});

test("a page that cannot be had is said, and asked for again", async () => {
    await tasks.welcome(range(100, 71));
    host.down = true;
    await tasks.more();
    expect([tasks.problem?.code, tasks.next, tasks.loadingMore]).toEqual(["UNREACHABLE", 71, false]);
    host.down = false;
    host.answers = { "GET /api/tasks?before=71": () => ({ tasks: [task(70)], next: null }) };
    await tasks.more();
    expect([tasks.problem, tasks.next]).toEqual([null, null]);
});

test("one is taken back once, however often it is pressed", async () => {
    await tasks.welcome([task(1, { state: "working" })]);
    host.answers = { "DELETE /api/tasks/1": () => task(1, { state: "cancelled", state_at: 5_000 }) };
    await Promise.all([tasks.takeBack(1), tasks.takeBack(1)]);
    expect([host.asked.length, tasks.get(1)?.state, tasks.deed(1)]).toEqual([1, "cancelled", undefined]);
});

test("run again says what was said, and nothing where nothing was", async () => {
    await tasks.welcome([task(1, { state: "failed" })]);
    host.answers = { "POST /api/tasks/1/retry": () => task(1, { attempt: 2, state_at: 9_000 }) };
    await tasks.again(1, " and mind the tests ");
    await tasks.again(1, " ");
    await tasks.handBack(1, "");
    expect(host.asked.map(({ body }) => body)).toEqual([{ words: "and mind the tests" }, {}, { feedback: true }]);
    expect(tasks.get(1)?.attempt).toBe(2);
});

test("what is refused is said beside its task, until something else is asked of it", async () => {
    await tasks.welcome([task(1, { state: "done" })]);
    host.answers = {
        "POST /api/tasks/1/retry": () => {
            throw new Problem("BAD_REQUEST", "No check failed, and nobody commented.", "Use words of your own.");
        },
    };
    expect(await tasks.handBack(1, "")).toBe(false);
    expect(tasks.trouble(1)?.message).toMatch(/nobody commented/);
    host.answers = { "POST /api/tasks/1/retry": () => task(1) };
    expect(await tasks.again(1, "x")).toBe(true);
    expect(tasks.trouble(1)).toBeUndefined();
});

test("an answer that the line has overtaken changes nothing", async () => {
    await tasks.welcome([task(1)]);
    let answer: (shown: TaskShown) => void = () => {};
    host.answers = { "GET /api/tasks/1": () => new Promise((resolve) => (answer = resolve)) };
    const looking = tasks.look(1);
    await until(() => host.asked.length === 1);
    update(task(1, { state: "starting", state_at: 2_000 }));
    answer(task(1));
    await looking;
    expect(tasks.get(1)?.state).toBe("starting");
});
