// The stand-in's queue of tasks: what was asked for, and where each stands. Nothing in it works by itself; a test says what happens.

import type { Frame, MakeTask, RepositoryShown, RetryTask, TaskOutcome, TaskPage, TaskShown, TaskStateWord } from "../../../src/lib/api/wire";
import { ANSWER } from "./agent.ts";
import { type House, Refused } from "./house.ts";

const MINUTE = 60_000;
const NOTHING: TaskOutcome = { base: null, head: null, commits: 0, files: 0, added: 0, removed: 0, summary: null, tests: null, pushed: false, request: null };

export class Queue {
    readonly all = new Map<number, TaskShown>();
    /** What each client's id made, so that it is made once. */
    private readonly byClient = new Map<string, number>();
    /** Requests to make one, also those that made none. */
    readonly wished: MakeTask[] = [];
    readonly retried: RetryTask[] = [];
    repositories: RepositoryShown[] = [];
    branches: string[] = ["main", "next", "release/2.4"];

    constructor(private readonly tell: (frame: Frame) => void) {}

    get newest(): TaskShown[] {
        return [...this.all.values()].sort((a, b) => b.id - a.id);
    }

    page(before: number, limit: number): TaskPage {
        const all = this.newest.filter(({ id }) => id < before);
        const tasks = all.slice(0, limit);
        return { tasks, next: all.length > limit ? (tasks.at(-1)?.id ?? null) : null };
    }

    get(id: number): TaskShown {
        const task = this.all.get(id);
        if (!task) throw new Refused(404, "UNKNOWN_TASK", "There is no such task.", "lanyard task list shows them; by text: tasks.");
        return task;
    }

    make(make: MakeTask, channel: TaskShown["channel"]): TaskShown {
        this.wished.push(make);
        const known = this.byClient.get(make.client_id ?? "");
        if (known !== undefined) return this.get(known);
        if (!/^[\w.:/@-]+\/[\w.-]+$/.test(make.repository)) throw new Refused(400, "BAD_REQUEST", `"${make.repository}" names no repository; write it as acme/shop or https://github.com/acme/shop`, "Correct it and send it again.");
        const now = Date.now();
        const id = Math.max(0, ...this.all.keys()) + 1;
        const task: TaskShown = {
            id, repository: make.repository, prompt: make.prompt, base: make.base ?? null, branch: make.branch ?? ["lanyard/" + id, slug(make.prompt)].filter(Boolean).join("-"), priority: make.priority ?? "normal", budget_dollars: make.budget_dollars ?? null, channel, made_at: now, not_before: make.at ?? now,
            attempt: 1, state: "queued", state_at: now, session_id: null, session_number: null, doing: null, cost_dollars: 0, tokens: { input: 0, output: 0, cache_write: 0, cache_read: 0 }, steps: [{ attempt: 1, state: "queued", at: now }], result: NOTHING, error: null, kept_until: null,
        };
        this.all.set(id, task);
        if (make.client_id) this.byClient.set(make.client_id, id);
        return this.told(task);
    }

    /** It comes to stand so, now or when it is said. */
    become(id: number, state: TaskStateWord, change: Partial<TaskShown> = {}, at = Date.now()): TaskShown {
        const task = this.get(id);
        return this.told(Object.assign(task, { state, state_at: at, doing: null, steps: [...task.steps, { attempt: task.attempt, state, at }] }, change));
    }

    cancel(id: number): TaskShown {
        if (["done", "failed", "cancelled"].includes(this.get(id).state)) throw new Refused(409, "TASK_STATE", "The task is elsewhere by now.", "Look at where it stands: lanyard task list.");
        return this.become(id, "cancelled");
    }

    retry(id: number, retry: RetryTask): TaskShown {
        const task = this.get(id);
        if (!["done", "failed", "cancelled"].includes(task.state)) throw new Refused(409, "TASK_STATE", "The task is elsewhere by now.", "Look at where it stands: lanyard task list.");
        if (retry.feedback && task.result.request?.checks !== "failed") throw new Refused(400, "BAD_REQUEST", "No check failed, and nobody commented.", "Run the task again with words of your own.");
        this.retried.push(retry);
        task.attempt++;
        return this.become(id, "queued", { error: null, kept_until: null, session_id: null, session_number: null });
    }

    private told(task: TaskShown): TaskShown {
        this.tell({ type: "taskUpdate", data: structuredClone(task) });
        return task;
    }
}

function slug(words: string): string {
    return words.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").split("-").filter(Boolean).slice(0, 4).join("-");
}

export interface Furnished {
    done: number;
    checks: number;
    failed: number;
    asks: number;
    works: number;
    later: number;
}

type Course = [TaskStateWord, number][];
const USUAL: Course = [["starting", 0.1], ["cloning", 0.3], ["working", 0.8]];

/** A queue that is lived with: one task of each kind. */
export function furnishTasks(house: House, asked: (session: string) => void): Furnished {
    const { tasks } = house;
    tasks.repositories = ["acme/shop", "acme/shop-admin", "acme/dotfiles", "ada/notes", "acme/a-repository-with-a-rather-long-name-for-a-phone"].map((repository, n) => ({ repository, default_branch: n === 1 ? "trunk" : "main", private: n % 2 === 1 }));
    const ago = (minutes: number) => Date.now() - minutes * MINUTE;
    const begin = (repository: string, prompt: string, minutes: number, course: Course, change: Partial<TaskShown> = {}, more: Partial<MakeTask> = {}, channel: TaskShown["channel"] = "phone"): TaskShown => {
        const task = tasks.make({ repository, prompt, ...more }, channel);
        Object.assign(task, { made_at: ago(minutes), state_at: ago(minutes), not_before: more.at ?? ago(minutes), steps: [{ attempt: 1, state: "queued", at: ago(minutes) }] });
        for (const [state, after] of course) tasks.become(task.id, state, {}, ago(minutes - after));
        return Object.assign(task, change);
    };
    const session = (title: string, state: "working" | "closed") => {
        const { id, number } = house.open(title, { state });
        return { session_id: id, session_number: number };
    };
    const done: TaskOutcome = { base: "main", head: "1f3c2a9", commits: 2, files: 3, added: 42, removed: 7, summary: ANSWER, tests: true, pushed: true, request: { number: 57, url: "https://github.com/acme/shop/pull/57", checks: "passed" } };
    const one = begin("acme/shop", "Fix the failing test in billing", 190, [...USUAL, ["pushing", 7.2], ["done", 7.6]], { ...session("Task 1 in its sandbox", "closed"), cost_dollars: 0.84, result: done }, {}, "sms");
    const two = begin("acme/shop", "Round prices once, at the end of the sum", 150, [...USUAL, ["pushing", 4], ["done", 4.4]], { cost_dollars: 1.12 });
    two.attempt = 2;
    for (const [state, after] of [["queued", 30], ["starting", 30.1], ["cloning", 30.2], ["working", 30.6], ["needs_you", 33], ["working", 41], ["pushing", 44], ["done", 44.3]] as Course) tasks.become(two.id, state, {}, ago(150 - after));
    Object.assign(two, { ...session("Task 2 in its sandbox", "closed"), result: { ...done, added: 118, removed: 64, files: 11, commits: 5, tests: null, request: { number: 58, url: "https://github.com/acme/shop/pull/58", checks: "failed" } } });
    const error = { code: "TESTS_FAILED", kind: "session", message: "The repository's own tests failed.", details: { suggestion: "Look at the session, and run the task again with more words." } } as const;
    const three = begin("gitlab.example.com/platform/payments/settlement-service", "Upgrade the linter and mend whatever it then complains of", 95, [...USUAL, ["failed", 12]], { ...session("Task 3 in its sandbox", "closed"), cost_dollars: 2.4, error, kept_until: Date.now() + 22 * 60 * MINUTE, result: { ...NOTHING, base: "main", files: 1, added: 3, removed: 3, commits: 1, tests: false, summary: "The linter now wants `const` in 214 places. I changed the configuration and **could not** make the old tests pass." } });
    begin("acme/dotfiles", "Set up a new shell", 80, [["starting", 0.1], ["cancelled", 0.4]], {}, {}, "cli");
    const five = begin("acme/shop-admin", "Translate every error message into Portuguese, check each placeholder, and write down whatever the translators will ask about afterwards.\n\nThe messages are in `locales/en.json`. Keep the keys as they are, and keep the order.\n\n- Formal address throughout\n- No abbreviations\n- Placeholders like {count} stay to the letter\n- Where English has one word for two things, ask\n\nWhen all of it is done, run the tests of the mail templates, and put a list of open questions into the pull request.", 22, USUAL, { ...session("Task 5 in its sandbox", "working"), cost_dollars: 0.31, doing: "Bash", budget_dollars: 3, result: { ...NOTHING, base: "trunk" } }, {}, "desktop");
    const asks = session("Task 6 in its sandbox", "working");
    const six = begin("acme/shop", "Release 2.5: changelog, tag, and the branch for fixes", 14, [...USUAL, ["needs_you", 9]], { ...asks, cost_dollars: 0.56, result: { ...NOTHING, base: "main", commits: 1, files: 2, added: 31, removed: 2 } });
    asked(asks.session_id);
    const seven = begin("ada/notes", "أصلح اختبار الفواتير الذي يفشل منذ الصباح", 6, [], {}, { at: Date.now() + 9 * 60 * MINUTE, priority: "high", budget_dollars: 2.5 });
    begin("acme/shop", "Why is the build slow? Find the three dearest steps and make them cheaper", 2, []);
    return { done: one.id, checks: two.id, failed: three.id, asks: six.id, works: five.id, later: seven.id };
}

/** What the task that needs the owner asks. */
export const PUSH = {
    kind: "push" as const,
    tool: null,
    input: { repository: "acme/shop", branches: ["release/2.5"] },
    shown: "push to acme/shop\nbranch release/2.5",
    questions: [],
    risk: "high" as const,
    always: [],
};
