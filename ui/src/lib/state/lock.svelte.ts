// A lost phone's lock, from another phone.

import type { LockShown } from "../api/wire";
import type { Host } from "../host";
import { type Problem, asProblem } from "../problem";

export class Lock {
    /** Asked once more: it shuts out this phone too. */
    sure = $state(false);
    busy = $state(false);
    done = $state(false);
    problem = $state.raw<Problem | null>(null);

    constructor(private readonly host: Host) {}

    async all(): Promise<void> {
        this.busy = true;
        this.problem = null;
        try {
            await this.host.request<LockShown>("POST", "/api/lock");
            this.done = true;
        } catch (error) {
            const problem = asProblem(error);
            // Somebody was quicker.
            if (problem.code === "LOCKED") this.done = true;
            else this.problem = problem;
        } finally {
            this.busy = false;
        }
    }
}
