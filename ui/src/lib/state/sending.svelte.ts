// What was made here for the gateway. It is kept before it is sent, sent in order, again until it is acknowledged, and done once:
// the gateway knows it by the id it was given here.

import { type Problem, asProblem } from "../problem";
import type { Item } from "../shelf";

/** Where it is kept until then. */
export interface Keep<T> {
    all(): Promise<T[]>;
    put(item: T): Promise<void>;
    drop(clientId: string): Promise<void>;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;

export abstract class Sending<T extends Item> {
    all = $state.raw<T[]>([]);
    private running: Promise<void> | null = null;
    /** The line came back while a try was under way that may not have noticed. */
    private rung = false;
    private failures = 0;
    private timer: ReturnType<typeof setTimeout> | undefined;

    constructor(private readonly keep: Keep<T>) {}

    /** Sends one, and lets go of it; throws where it was not taken. */
    protected abstract deliver(item: T): Promise<void>;

    async restore(): Promise<void> {
        const kept = await this.keep.all();
        this.all = kept.map((item) => ({ ...item, state: item.state === "refused" ? item.state : "waiting" })).sort((a, b) => a.at - b.at);
        void this.flush();
    }

    /** A refused one, once more. */
    async again(clientId: string): Promise<void> {
        await this.change(clientId, { state: "waiting", problem: null } as Partial<T>);
        this.failures = 0;
        void this.flush();
    }

    async takeBack(clientId: string): Promise<T | undefined> {
        const item = this.get(clientId);
        if (!item || item.state === "sending") return undefined;
        await this.drop(clientId);
        return item;
    }

    /** Sends what waits, one after the other; resolves when no more can be sent. Called whenever the line may be back. */
    async flush(): Promise<void> {
        clearTimeout(this.timer);
        this.rung = this.running !== null;
        if (this.running === null && this.next()) this.running = this.sendAll();
        await this.running;
    }

    /** Resolves once it is on this device's disk; sends nothing yet. */
    protected async add(item: Omit<T, keyof Item>): Promise<T> {
        // Two in the same millisecond keep their order.
        const at = Math.max(Date.now(), (this.all.at(-1)?.at ?? 0) + 1);
        const whole = { ...item, client_id: crypto.randomUUID(), at, state: "waiting", problem: null } as unknown as T;
        await this.keep.put(whole);
        this.all = [...this.all, whole];
        return whole;
    }

    protected get(clientId: string): T | undefined {
        return this.all.find((item) => item.client_id === clientId);
    }

    protected patch(clientId: string, change: Partial<T>): void {
        this.all = this.all.map((item) => (item.client_id === clientId ? { ...item, ...change } : item));
    }

    protected async change(clientId: string, change: Partial<T>): Promise<void> {
        this.patch(clientId, change);
        const item = this.get(clientId);
        if (item) await this.keep.put(item);
    }

    protected async drop(clientId: string): Promise<void> {
        this.all = this.all.filter((item) => item.client_id !== clientId);
        await this.keep.drop(clientId);
    }

    /** It was not taken, and never will be as it is. */
    protected refused(clientId: string, { code, message, suggestion }: Problem): Promise<void> {
        return this.change(clientId, { state: "refused", problem: { code, message, suggestion } } as Partial<T>);
    }

    private next(): T | undefined {
        return this.all.find((item) => item.state === "waiting");
    }

    private async sendAll(): Promise<void> {
        try {
            for (let next = this.next(); next; next = this.next()) {
                if (!(await this.send(next))) break;
            }
        } finally {
            this.running = null;
        }
    }

    /** Whether to go on with the next. */
    private async send(item: T): Promise<boolean> {
        this.patch(item.client_id, { state: "sending" } as Partial<T>);
        try {
            await this.deliver(item);
            this.failures = 0;
            return true;
        } catch (error) {
            return this.failed(item.client_id, asProblem(error));
        }
    }

    private async failed(clientId: string, problem: Problem): Promise<boolean> {
        if (!problem.shutOut && !problem.passes) {
            await this.refused(clientId, problem);
            return true;
        }
        this.patch(clientId, { state: "waiting" } as Partial<T>);
        if (problem.shutOut) return false;
        if (this.rung) {
            this.rung = false;
            return true;
        }
        const wait = (problem.retryAfter ?? 0) * 1000 || Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.failures++);
        this.timer = setTimeout(() => void this.flush(), wait);
        return false;
    }
}
