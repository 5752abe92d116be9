// What the page knows: which link it was opened with, and what the gateway last said about it.

import { type Approval, type Shown, denyLink, readLink } from "../api/link";
import { Problem, asProblem } from "../problem";

/** While an approval is open, somebody may answer it elsewhere. */
const LOOK_AGAIN_MS = 8_000;

export type Face =
    | { kind: "loading" }
    | { kind: "shown"; shown: Shown }
    | { kind: "failed"; problem: Problem };

export class Link {
    face = $state<Face>({ kind: "loading" });
    /** Something went wrong after there was something to show: it stays, with this beside it. */
    trouble = $state<Problem | null>(null);
    denying = $state(false);
    /** Gateway's clock minus phone's. */
    skew = $state(0);
    /** This browser is paired and may answer approvals. */
    mayAnswer = $state(false);

    constructor(readonly token: string | null) {}

    async load(): Promise<void> {
        if (this.token === null) {
            this.fail(new Problem("NOT_FOUND", "There is nothing here.", "Open the link exactly as it stands in the text message."));
            return;
        }
        const token = this.token;
        await this.take(() => readLink(token));
    }

    async deny(): Promise<void> {
        if (this.token === null || this.denying) return;
        const token = this.token;
        this.denying = true;
        await this.take(() => denyLink(token));
        this.denying = false;
        // Somebody else was first: show what became of it.
        if (this.trouble !== null && this.trouble.code === "APPROVAL_GONE") await this.load();
    }

    /** Looks again when the page is looked at, when the line is back, and from time to time while there is something to wait for. */
    watch(): () => void {
        const again = () => void this.load();
        const seen = () => document.visibilityState === "visible" && this.mayChange && again();
        const timer = setInterval(seen, LOOK_AGAIN_MS);
        window.addEventListener("online", again);
        document.addEventListener("visibilitychange", seen);
        return () => {
            clearInterval(timer);
            window.removeEventListener("online", again);
            document.removeEventListener("visibilitychange", seen);
        };
    }

    private get mayChange(): boolean {
        const waits = this.face.kind === "shown" && this.face.shown.kind === "approval" && this.face.shown.state === "open";
        const cutOff = this.face.kind === "failed" && this.face.problem.cutOff;
        return waits || cutOff;
    }

    private async take(ask: () => Promise<Shown>): Promise<void> {
        try {
            const shown = await ask();
            if (shown.kind === "approval") {
                this.skew = shown.now - Date.now();
                this.mayAnswer = await mayAnswer();
            }
            this.face = { kind: "shown", shown };
            this.trouble = null;
        } catch (error) {
            this.fail(asProblem(error));
        }
    }

    private fail(problem: Problem): void {
        const final = ["LINK_EXPIRED", "NOT_FOUND"].includes(problem.code);
        if (this.face.kind === "shown" && !final) this.trouble = problem;
        else this.face = { kind: "failed", problem };
    }
}

/** What is kept here is opened only where there is something to answer. */
async function mayAnswer(): Promise<boolean> {
    try {
        const { Shelf } = await import("../shelf");
        const shelf = await Shelf.open();
        return (await shelf.paired().finally(() => shelf.close()))?.scopes.includes("approve") ?? false;
    } catch {
        return false;
    }
}

/** `/a/TOKEN` and `/p/TOKEN`. */
export function tokenIn(path: string): string | null {
    return /^\/[ap]\/([A-Za-z0-9_-]+)\/?$/.exec(path)?.[1] ?? null;
}

export function isOpen(approval: Approval): boolean {
    return approval.state === "open";
}
