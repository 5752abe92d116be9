// Whether this phone is let in, and as whom.

import type { ScopeWord, You } from "../api/wire";
import type { Keyring } from "../keyring";
import { type Problem, asProblem } from "../problem";
import type { Shelf } from "../shelf";

export type Pairedness = "looking" | "unpaired" | "paired" | "gone";

export class Pairing {
    is = $state<Pairedness>("looking");
    name = $state("");
    scopes = $state.raw<ScopeWord[]>([]);
    /** Why it is `gone`, or why pairing failed. */
    problem = $state.raw<Problem | null>(null);
    busy = $state(false);

    constructor(
        private readonly shelf: Shelf,
        private readonly keyring: Keyring,
    ) {}

    async look(): Promise<void> {
        const paired = await this.shelf.paired();
        if (paired) this.isNow(paired);
        else this.is = "unpaired";
    }

    async pair(code: string, name: string): Promise<boolean> {
        if (this.busy) return false;
        this.busy = true;
        this.problem = null;
        try {
            this.isNow(await this.keyring.pair(code, name));
            return true;
        } catch (error) {
            this.problem = asProblem(error);
            return false;
        } finally {
            this.busy = false;
        }
    }

    /** The owner took this phone off: nothing of theirs stays on it. */
    async shutOut(problem: Problem): Promise<void> {
        if (this.is === "gone") return;
        this.is = "gone";
        this.problem = problem;
        await this.keyring.forget();
    }

    async forget(): Promise<void> {
        await this.keyring.forget();
        this.problem = null;
        this.is = "unpaired";
    }

    isNow(you: Pick<You, "name" | "scopes">): void {
        this.name = you.name;
        this.scopes = you.scopes;
        this.is = "paired";
    }

    may(scope: ScopeWord): boolean {
        return this.scopes.includes(scope);
    }
}
