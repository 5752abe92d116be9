// The sessions that a person wants to see: filtered by the gateway, page by page, and kept true while they change.

import type { SessionFilter } from "../../api/desk";
import type { Frame, SearchHit, SessionPage, SessionShown } from "../../api/wire";
import type { Host } from "../../host";
import { type Problem, asProblem } from "../../problem";

export const EVERYTHING: SessionFilter = { state: "", agent: "", tag: "", from: "", to: "" };

export class Listing {
    list = $state.raw<SessionShown[]>([]);
    face = $state<"loading" | "ready" | "failed">("loading");
    problem = $state.raw<Problem | null>(null);
    filter = $state.raw<SessionFilter>(EVERYTHING);
    next = $state.raw<string | null>(null);
    busy = $state(false);
    /** What a search found; nothing while none is made. */
    hits = $state.raw<SearchHit[] | null>(null);
    words = $state("");
    searching = $state(false);
    private latest = 0;

    constructor(private readonly host: Host) {}

    get filtered(): boolean {
        return Object.values(this.filter).some((value) => value !== "");
    }

    async choose(change: Partial<SessionFilter>): Promise<void> {
        this.filter = { ...this.filter, ...change };
        await this.load();
    }

    async load(): Promise<void> {
        const mine = ++this.latest;
        await this.attempt(async () => {
            const page = await this.page(null);
            if (mine !== this.latest) return;
            this.list = page.sessions;
            this.next = page.next;
        });
    }

    async more(): Promise<void> {
        if (this.next === null || this.busy) return;
        const mine = ++this.latest;
        await this.attempt(async () => {
            const page = await this.page(this.next);
            if (mine !== this.latest) return;
            const known = new Set(this.list.map((session) => session.id));
            this.list = [...this.list, ...page.sessions.filter((session) => !known.has(session.id))];
            this.next = page.next;
        });
    }

    /** Full text over everything said and done. */
    async find(words: string): Promise<void> {
        this.words = words;
        const wanted = words.trim();
        const mine = ++this.latest;
        if (wanted === "") {
            this.hits = null;
            this.searching = false;
            return this.load();
        }
        this.searching = true;
        await this.attempt(async () => {
            const { hits } = await this.host.request<{ hits: SearchHit[] }>("GET", `/api/search?q=${encodeURIComponent(wanted)}&limit=100`);
            if (mine === this.latest) this.hits = hits;
        });
        if (mine === this.latest) this.searching = false;
    }

    hear(frame: Frame): void {
        if (frame.type !== "status" || frame.data.kind !== "session") return;
        const { kind: _, ...session } = frame.data;
        const rest = this.list.filter((known) => known.id !== session.id);
        if (rest.length < this.list.length || this.wants(session)) this.list = [...rest, session].sort((a, b) => b.last_at - a.last_at);
    }

    private wants({ state, agent, tags, last_at }: SessionShown): boolean {
        const { filter } = this;
        const { from, to } = between(filter);
        const fits = (wanted: string, is: boolean) => wanted === "" || is;
        return this.face === "ready" && fits(filter.state, filter.state === state) && fits(filter.agent, filter.agent === agent) && fits(filter.tag, tags.includes(filter.tag)) && fits(from, last_at >= Number(from)) && fits(to, last_at < Number(to));
    }

    private page(cursor: string | null): Promise<SessionPage> {
        const asked = Object.entries({ ...this.filter, ...between(this.filter), cursor: cursor ?? "", limit: "100" }).filter(([, value]) => value !== "");
        return this.host.request<SessionPage>("GET", `/api/sessions?${new URLSearchParams(asked)}`);
    }

    private async attempt(work: () => Promise<void>): Promise<void> {
        this.busy = true;
        try {
            await work();
            this.problem = null;
            this.face = "ready";
        } catch (error) {
            this.problem = asProblem(error);
            if (this.list.length === 0) this.face = "failed";
        }
        this.busy = false;
    }
}

/** The days as the gateway takes them: from the first moment of the one to before the first after the other. */
function between({ from, to }: SessionFilter): { from: string; to: string } {
    return { from: midnight(from, 0), to: midnight(to, 1) };
}

function midnight(day: string, later: number): string {
    if (day === "") return "";
    const at = new Date(`${day}T00:00`);
    return String(at.setDate(at.getDate() + later));
}
