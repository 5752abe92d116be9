// What happened here, by whom and whence: the owner's record of it.

import type { Activity as Page, ActivityItem } from "../../api/desk";
import type { Host } from "../../host";
import { type Problem, asProblem } from "../../problem";

const PAGE = 60;

export class Activity {
    items = $state.raw<ActivityItem[]>([]);
    face = $state<"loading" | "ready" | "failed">("loading");
    problem = $state.raw<Problem | null>(null);
    kind = $state("");
    words = $state("");
    next = $state.raw<string | null>(null);
    busy = $state(false);
    private latest = 0;

    constructor(private readonly host: Host) {}

    async load(): Promise<void> {
        await this.fetch(null);
    }

    async more(): Promise<void> {
        if (this.next !== null && !this.busy) await this.fetch(this.next);
    }

    private async fetch(before: string | null): Promise<void> {
        const mine = ++this.latest;
        this.busy = true;
        try {
            const asked = Object.entries({ kind: this.kind, q: this.words.trim(), before: before ?? "", limit: String(PAGE) }).filter(([, value]) => value !== "");
            const page = await this.host.request<Page>("GET", `/activity?${new URLSearchParams(asked)}`);
            if (mine !== this.latest) return;
            this.items = before === null ? page.items : [...this.items, ...page.items];
            this.next = page.next ?? null;
            this.problem = null;
            this.face = "ready";
        } catch (error) {
            if (mine !== this.latest) return;
            this.problem = asProblem(error);
            if (this.items.length === 0) this.face = "failed";
        }
        this.busy = false;
    }
}
