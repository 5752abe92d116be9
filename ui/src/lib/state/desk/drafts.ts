// What is written and not said, by session. It outlives the page: the window's is gone some minutes after it is closed.

import type { Drafts } from "../here";

const KEPT = "lanyard.drafts";
/** Those written last. */
export const MOST = 50;

export class KeptDrafts implements Drafts {
    /** The one written last is last. */
    private readonly drafts = kept();

    get(session: string): string | undefined {
        return this.drafts.get(session);
    }

    set(session: string, words: string): void {
        if (words === (this.drafts.get(session) ?? "")) return;
        this.drafts.delete(session);
        if (words !== "") this.drafts.set(session, words);
        for (const old of [...this.drafts.keys()].slice(0, -MOST)) this.drafts.delete(old);
        try {
            localStorage.setItem(KEPT, JSON.stringify([...this.drafts]));
        } catch {
            // Kept for as long as the page is.
        }
    }
}

function kept(): Map<string, string> {
    try {
        return new Map(JSON.parse(localStorage.getItem(KEPT) ?? "[]") as [string, string][]);
    } catch {
        return new Map();
    }
}
