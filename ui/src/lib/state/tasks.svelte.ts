// All tasks, as they stand: the newest come with every welcome, older ones by the page.

import type { Frame, RetryTask, TaskPage, TaskShown } from "../api/wire";
import type { Host } from "../host";
import { type Problem, asProblem } from "../problem";
import { isAtWork } from "../task";

/** What is asked of a task. */
export type Deed = "back" | "again" | "feedback";

/** As many as a welcome shows at most. */
const NEWEST = 30;
const PAGE = 50;

export class Tasks {
    private known = $state.raw<ReadonlyMap<number, TaskShown>>(new Map());
    private deeds = $state.raw<ReadonlyMap<number, Deed>>(new Map());
    private problems = $state.raw<ReadonlyMap<number, Problem>>(new Map());
    face = $state<"loading" | "ready">("loading");
    /** Give it as `before` for the next page. */
    next = $state<number | null>(null);
    loadingMore = $state(false);
    /** Why there is no further page. */
    problem = $state.raw<Problem | null>(null);

    /** The newest first. */
    readonly list = $derived([...this.known.values()].sort((a, b) => b.id - a.id));
    readonly needsYou = $derived(this.list.filter((task) => task.state === "needs_you").length);
    readonly atWork = $derived(this.list.filter((task) => isAtWork(task.state) && task.state !== "needs_you").length);
    readonly queued = $derived(this.list.filter((task) => task.state === "queued").length);

    constructor(private readonly host: Host) {}

    get(id: number): TaskShown | undefined {
        return this.known.get(id);
    }

    /** What it is being asked to do now. */
    deed(id: number): Deed | undefined {
        return this.deeds.get(id);
    }

    /** Why the last thing that was asked of it was not done. */
    trouble(id: number): Problem | undefined {
        return this.problems.get(id);
    }

    /** What was known before: shown until the gateway says more. */
    restore(tasks: TaskShown[]): void {
        this.put(tasks);
        if (tasks.length > 0) this.face = "ready";
    }

    /** These are the newest there are; older ones that were fetched before may stand otherwise since. */
    async welcome(tasks: TaskShown[]): Promise<void> {
        const oldest = tasks.length < NEWEST ? 0 : (tasks.at(-1)?.id ?? 0);
        const older = this.list.filter((task) => task.id < oldest);
        this.known = new Map([...older, ...tasks].map((task) => [task.id, task]));
        this.face = "ready";
        if (older.length === 0) this.next = oldest === 0 ? null : oldest;
        else await this.freshen(oldest, older.length);
    }

    hear(frame: Frame): void {
        if (frame.type === "taskUpdate") this.put([frame.data]);
    }

    /** What a request was answered with; the line may have said more by now. */
    answered(task: TaskShown): void {
        const known = this.get(task.id);
        if (!known || known.state_at <= task.state_at) this.put([task]);
    }

    async more(): Promise<void> {
        if (this.next === null || this.loadingMore) return;
        this.loadingMore = true;
        this.problem = null;
        try {
            const page = await this.page(this.next, PAGE);
            this.put(page.tasks);
            this.next = page.next;
        } catch (error) {
            this.problem = asProblem(error);
        }
        this.loadingMore = false;
    }

    /** As it stands now: of older ones nobody tells. Throws `Problem`. */
    async look(id: number): Promise<void> {
        this.answered(await this.host.request<TaskShown>("GET", `/api/tasks/${id}`));
    }

    /** Its agent is stopped, its sandbox goes. */
    takeBack(id: number): Promise<boolean> {
        return this.ask(id, "back", () => this.host.request<TaskShown>("DELETE", `/api/tasks/${id}`));
    }

    /** Once more, on the branch it pushed if it did. */
    again(id: number, words: string): Promise<boolean> {
        return this.retry(id, "again", words.trim() === "" ? {} : { words: words.trim() });
    }

    /** Once more, with the checks that failed and what people wrote. */
    handBack(id: number, words: string): Promise<boolean> {
        return this.retry(id, "feedback", { feedback: true, ...(words.trim() === "" ? {} : { words: words.trim() }) });
    }

    private retry(id: number, deed: Deed, retry: RetryTask): Promise<boolean> {
        return this.ask(id, deed, () => this.host.request<TaskShown>("POST", `/api/tasks/${id}/retry`, retry));
    }

    private async ask(id: number, deed: Deed, work: () => Promise<TaskShown>): Promise<boolean> {
        if (this.deeds.has(id)) return false;
        this.deeds = new Map(this.deeds).set(id, deed);
        this.problems = without(this.problems, id);
        try {
            this.answered(await work());
            return true;
        } catch (error) {
            this.problems = new Map(this.problems).set(id, asProblem(error));
            return false;
        } finally {
            this.deeds = without(this.deeds, id);
        }
    }

    private async freshen(before: number, count: number): Promise<void> {
        const page = await this.page(before, Math.min(100, Math.max(PAGE, count))).catch(() => null);
        // Without an answer they are shown as they stood.
        if (!page) return;
        const reached = page.next ?? 0;
        this.known = new Map([...[...this.known].filter(([id]) => id >= before), ...page.tasks.map((task) => [task.id, task] as const)]);
        this.next = reached === 0 ? null : reached;
    }

    private page(before: number, limit: number): Promise<TaskPage> {
        return this.host.request<TaskPage>("GET", `/api/tasks?before=${before}&limit=${limit}`);
    }

    private put(tasks: TaskShown[]): void {
        const known = new Map(this.known);
        for (const task of tasks) known.set(task.id, task);
        this.known = known;
    }
}

function without<V>(map: ReadonlyMap<number, V>, key: number): ReadonlyMap<number, V> {
    if (!map.has(key)) return map;
    const rest = new Map(map);
    rest.delete(key);
    return rest;
}
