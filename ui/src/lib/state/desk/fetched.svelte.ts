// Something the gateway is asked for: not here yet, here, or why it could not be had. What was here stays while it is asked again.

import { type Problem, asProblem } from "../../problem";

export class Fetched<T> {
    value = $state.raw<T | null>(null);
    problem = $state.raw<Problem | null>(null);
    busy = $state(false);
    private latest = 0;

    constructor(private readonly ask: () => Promise<T>) {}

    get face(): "loading" | "failed" | "ready" {
        if (this.value !== null) return "ready";
        return this.problem ? "failed" : "loading";
    }

    async load(): Promise<void> {
        const mine = ++this.latest;
        this.busy = true;
        try {
            const value = await this.ask();
            if (mine !== this.latest) return;
            this.value = value;
            this.problem = null;
        } catch (error) {
            if (mine === this.latest) this.problem = asProblem(error);
        }
        if (mine === this.latest) this.busy = false;
    }

    /** What a change was answered with. Whatever is still asked for is older. */
    put(value: T): void {
        this.latest++;
        this.value = value;
        this.problem = null;
        this.busy = false;
    }

    /** Asks anew, as if for the first time. */
    async anew(): Promise<void> {
        this.value = null;
        this.problem = null;
        await this.load();
    }
}

/** One thing a person asked to be done: under way, done, or why not. */
export class Deed {
    /** Which one is under way. */
    doing = $state<string | null>(null);
    /** Which one it was. */
    failed = $state<string | null>(null);
    problem = $state.raw<Problem | null>(null);

    /** Whether it worked. */
    async run(name: string, work: () => Promise<unknown>): Promise<boolean> {
        if (this.doing !== null) return false;
        this.doing = name;
        this.problem = this.failed = null;
        try {
            await work();
            return true;
        } catch (error) {
            this.problem = asProblem(error);
            this.failed = name;
            return false;
        } finally {
            this.doing = null;
        }
    }

    clear(): void {
        this.problem = this.failed = null;
    }
}
