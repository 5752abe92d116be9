// All sessions, as they stand.

import type { Frame, SearchHit, SessionChange, SessionPage, SessionShown } from "../api/wire";
import type { Host } from "../host";
import { type Problem, asProblem } from "../problem";
import { sessionOf, timeOf } from "../shelf";

export type Search = { kind: "none" } | { kind: "asking" } | { kind: "found"; hits: SearchHit[]; here: boolean } | { kind: "failed"; problem: Problem };

export class Sessions {
    all = $state.raw<ReadonlyMap<string, SessionShown>>(new Map());
    face = $state<"loading" | "ready">("loading");
    /** The gateway itself has said which there are; until then this phone may have missed some. */
    told = $state(false);
    next = $state.raw<string | null>(null);
    loadingMore = $state(false);
    search = $state.raw<Search>({ kind: "none" });
    problem = $state.raw<Problem | null>(null);

    readonly list = $derived([...this.all.values()].sort((a, b) => b.last_at - a.last_at));

    constructor(
        private readonly host: Host,
        /** What is kept here can be searched without a line. */
        private readonly kept: ((words: string, sessions: ReadonlyMap<string, SessionShown>) => Promise<SearchHit[]>) | null = null,
    ) {}

    get(id: string): SessionShown | undefined {
        return this.all.get(id);
    }

    /** What was known before: shown until the gateway says more. */
    restore(sessions: SessionShown[]): void {
        this.put(sessions);
        if (sessions.length > 0) this.face = "ready";
    }

    async welcome(sessions: SessionShown[]): Promise<void> {
        this.put(sessions);
        this.face = "ready";
        this.told = true;
        // A welcome holds the first fifty.
        if (sessions.length >= 50) this.next ??= (await this.page(null).catch(() => null))?.next ?? null;
    }

    hear(frame: Frame): void {
        if (frame.type === "status" && frame.data.kind === "session") {
            const { kind: _, ...session } = frame.data;
            this.put([session]);
            return;
        }
        const known = this.get(sessionOf(frame));
        const at = timeOf(frame);
        if (known && at !== null && at > known.last_at) this.put([{ ...known, last_at: at }]);
    }

    async more(): Promise<void> {
        if (this.next === null || this.loadingMore) return;
        this.loadingMore = true;
        await this.attempt(async () => {
            const page = await this.page(this.next);
            this.put(page.sessions);
            this.next = page.next;
        });
        this.loadingMore = false;
    }

    /** One that is not among those last used. */
    async fetch(id: string): Promise<void> {
        if (!this.get(id)) this.put([await this.host.request<SessionShown>("GET", `/api/sessions/${id}`)]);
    }

    async change(id: string, change: SessionChange): Promise<boolean> {
        return this.attempt(async () => this.put([await this.host.request<SessionShown>("PATCH", `/api/sessions/${id}`, change)]));
    }

    async close(id: string): Promise<boolean> {
        return this.attempt(async () => {
            await this.host.request("DELETE", `/api/stream/${id}`);
            const known = this.get(id);
            if (known) this.put([{ ...known, state: "closed" }]);
        });
    }

    /** At the gateway; without a line to it, in what this phone keeps. */
    async find(words: string): Promise<void> {
        const wanted = words.trim();
        if (wanted === "") {
            this.search = { kind: "none" };
            return;
        }
        const asking: Search = { kind: "asking" };
        this.search = asking;
        const found = await this.ask(wanted);
        // A later search has taken its place.
        if (this.search === asking) this.search = found;
    }

    private async ask(words: string): Promise<Search> {
        try {
            const { hits } = await this.host.request<{ hits: SearchHit[] }>("GET", `/api/search?q=${encodeURIComponent(words)}`);
            return { kind: "found", hits, here: false };
        } catch (error) {
            const problem = asProblem(error);
            if (!problem.cutOff || !this.kept) return { kind: "failed", problem };
            return { kind: "found", hits: await this.kept(words, this.all), here: true };
        }
    }

    private page(cursor: string | null): Promise<SessionPage> {
        return this.host.request<SessionPage>("GET", `/api/sessions${cursor === null ? "" : `?cursor=${encodeURIComponent(cursor)}`}`);
    }

    private async attempt(work: () => Promise<void>): Promise<boolean> {
        this.problem = null;
        try {
            await work();
            return true;
        } catch (error) {
            this.problem = asProblem(error);
            return false;
        }
    }

    private put(sessions: SessionShown[]): void {
        const all = new Map(this.all);
        for (const session of sessions) all.set(session.id, session);
        this.all = all;
    }
}
