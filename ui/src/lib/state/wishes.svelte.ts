// Tasks that are wished for here. Each is kept before it is sent, sent again until it is acknowledged, and made once: the
// gateway knows it by the id it was given here.

import type { MakeTask, TaskShown } from "../api/wire";
import type { Host } from "../host";
import { type Problem, asProblem } from "../problem";
import type { Shelf, Wished } from "../shelf";
import { type Draft, EMPTY, draftOf } from "../task";

/** What became of a wish at the first try. */
export type Made = { kind: "made"; task: TaskShown } | { kind: "waits" } | { kind: "refused"; problem: NonNullable<Wished["problem"]> };

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;

export class Wishes {
    all = $state.raw<Wished[]>([]);
    /** What is written and not wished for. */
    draft = $state<Draft>({ ...EMPTY });
    private running: Promise<void> | null = null;
    /** The line came back while a try was under way that may not have noticed. */
    private rung = false;
    private failures = 0;
    private timer: ReturnType<typeof setTimeout> | undefined;
    /** What those of the last round became, for who waits for it. */
    private readonly answers = new Map<string, TaskShown>();

    constructor(
        private readonly host: Host,
        private readonly shelf: Pick<Shelf, "wishes" | "putWish" | "dropWish">,
        /** Whether there is a line to send them over now. */
        private readonly live: () => boolean,
        private readonly made: (task: TaskShown) => void,
    ) {}

    async restore(): Promise<void> {
        const kept = await this.shelf.wishes();
        this.all = kept.map((wish) => ({ ...wish, state: wish.state === "refused" ? wish.state : ("waiting" as const) })).sort((a, b) => a.at - b.at);
        void this.flush();
    }

    /** Without a line it waits; what is refused at once was never wished for. */
    async make(make: MakeTask): Promise<Made> {
        // Two in the same millisecond keep their order.
        const at = Math.max(Date.now(), (this.all.at(-1)?.at ?? 0) + 1);
        const wish: Wished = { client_id: crypto.randomUUID(), make, at, state: "waiting", problem: null };
        const { client_id } = wish;
        await this.shelf.putWish(wish);
        this.all = [...this.all, wish];
        if (!this.live()) return { kind: "waits" };
        await this.flush();
        const task = this.answers.get(client_id);
        if (task) return { kind: "made", task };
        const problem = this.get(client_id)?.problem;
        if (!problem) return { kind: "waits" };
        await this.drop(client_id);
        return { kind: "refused", problem };
    }

    /** A refused one, once more. */
    async again(clientId: string): Promise<void> {
        await this.change(clientId, { state: "waiting", problem: null });
        this.failures = 0;
        void this.flush();
    }

    async takeBack(clientId: string): Promise<Wished | undefined> {
        const wish = this.get(clientId);
        if (!wish || wish.state === "sending") return undefined;
        await this.drop(clientId);
        return wish;
    }

    /** Back into the form, to be changed. */
    async edit(clientId: string, skew: number): Promise<boolean> {
        const wish = await this.takeBack(clientId);
        if (wish) this.draft = draftOf(wish.make, skew);
        return wish !== undefined;
    }

    /** Sends what waits, one after the other; resolves when no more can be sent. Called whenever the line may be back. */
    async flush(): Promise<void> {
        clearTimeout(this.timer);
        this.rung = this.running !== null;
        if (this.running === null && this.next()) this.running = this.sendAll();
        await this.running;
    }

    private async sendAll(): Promise<void> {
        this.answers.clear();
        try {
            for (let next = this.next(); next; next = this.next()) {
                if (!(await this.deliver(next))) break;
            }
        } finally {
            this.running = null;
        }
    }

    private get(clientId: string): Wished | undefined {
        return this.all.find((wish) => wish.client_id === clientId);
    }

    private next(): Wished | undefined {
        return this.all.find((wish) => wish.state === "waiting");
    }

    /** Whether to go on with the next. */
    private async deliver({ client_id, make }: Wished): Promise<boolean> {
        this.patch(client_id, { state: "sending" });
        try {
            const task = await this.host.request<TaskShown>("POST", "/api/tasks", { ...make, client_id });
            this.made(task);
            this.answers.set(client_id, task);
            await this.drop(client_id);
            this.failures = 0;
            return true;
        } catch (error) {
            return this.failed(client_id, asProblem(error));
        }
    }

    private async failed(clientId: string, problem: Problem): Promise<boolean> {
        if (problem.shutOut) {
            this.patch(clientId, { state: "waiting" });
            return false;
        }
        if (!problem.passes) {
            const { code, message, suggestion } = problem;
            await this.change(clientId, { state: "refused", problem: { code, message, suggestion } });
            return true;
        }
        this.patch(clientId, { state: "waiting" });
        if (this.rung) {
            this.rung = false;
            return true;
        }
        const wait = (problem.retryAfter ?? 0) * 1000 || Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.failures++);
        this.timer = setTimeout(() => void this.flush(), wait);
        return false;
    }

    private patch(clientId: string, change: Partial<Wished>): void {
        this.all = this.all.map((wish) => (wish.client_id === clientId ? { ...wish, ...change } : wish));
    }

    private async change(clientId: string, change: Partial<Wished>): Promise<void> {
        this.patch(clientId, change);
        const wish = this.get(clientId);
        if (wish) await this.shelf.putWish(wish);
    }

    private async drop(clientId: string): Promise<void> {
        this.all = this.all.filter((wish) => wish.client_id !== clientId);
        await this.shelf.dropWish(clientId);
    }
}
