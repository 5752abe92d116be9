// One session's history as far as it is here, and the words that are being written in it now.

import type { Events, Frame } from "../api/wire";
import type { Host } from "../host";
import { type Problem, asProblem } from "../problem";
import { type Fact, type Shelf, type Span, isFact } from "../shelf";
import { type Item, transcript } from "../transcript";
import { type Block, Words } from "../words";

const PAGE = 100;
/** How far back a search hit is followed. */
const FURTHEST_PAGES = 40;
/** Words come many times a second; eyes are content with this. */
const SHOW_EVERY_MS = 60;

export class Chat {
    facts = $state.raw<Fact[]>([]);
    /** The blocks being written. */
    blocks = $state.raw<Block[]>([]);
    face = $state<"loading" | "ready" | "failed">("loading");
    problem = $state.raw<Problem | null>(null);
    /** Nothing came before the oldest fact here. */
    start = $state(false);
    loadingOlder = $state(false);

    /** Told anew with each fact. A `$derived` would end with the screen that first asked for this chat. */
    items = $state.raw<Item[]>([]);

    private readonly words = new Words();
    private readonly seqs = new Set<number>();
    private showing: ReturnType<typeof setTimeout> | undefined;

    constructor(
        readonly id: string,
        private readonly host: Host,
        private readonly shelf: Shelf,
    ) {}

    /** First what this phone has, then what the gateway has. */
    async load(): Promise<void> {
        this.add(await this.shelf.facts(this.id));
        const span = await this.shelf.span(this.id);
        if (span) {
            this.start = span.start;
            this.face = "ready";
            return;
        }
        if (this.facts.length > 0) this.face = "ready";
        await this.attempt(() => this.fetch(`limit=${PAGE}`));
    }

    /** Again, after it failed. */
    async retry(): Promise<void> {
        this.problem = null;
        if (this.facts.length === 0) this.face = "loading";
        await this.load();
    }

    async older(): Promise<void> {
        const oldest = this.facts[0]?.seq;
        if (this.start || this.loadingOlder || oldest === undefined) return;
        this.loadingOlder = true;
        await this.attempt(() => this.fetch(`before=${oldest}&limit=${PAGE}`));
        this.loadingOlder = false;
    }

    /** Goes back until the event `seq` is here. */
    async reach(seq: number): Promise<boolean> {
        for (let page = 0; page < FURTHEST_PAGES; page++) {
            if (this.seqs.has(seq)) return true;
            if (this.start || (this.facts[0]?.seq ?? 0) <= seq) return false;
            await this.older();
            if (this.problem) return false;
        }
        return false;
    }

    hear(frame: Frame): void {
        if (isFact(frame)) this.add([frame]);
        if (frame.type === "streamData" && frame.data.kind === "partial") this.words.hear(frame.data);
        else if (frame.type === "streamData" && frame.data.kind === "text") this.words.finish(frame.data.message, frame.data.text);
        else if (frame.type === "streamToolUse" && frame.data.kind === "used") this.words.thought();
        else if (frame.type === "streamComplete" || (frame.type === "error" && isFact(frame))) this.words.clear();
        else return;
        if (isFact(frame)) this.show();
        else this.showing ??= setTimeout(() => this.show(), SHOW_EVERY_MS);
    }

    /** The line broke: pieces are lost that nobody will send again, and their finished texts may be on their way. */
    cut(): void {
        this.words.clear();
        this.show();
    }

    private show(): void {
        clearTimeout(this.showing);
        this.showing = undefined;
        this.blocks = this.words.blocks.map((block) => ({ ...block, pieces: block.pieces.map((piece) => ({ ...piece })) }));
    }

    private async attempt(work: () => Promise<void>): Promise<void> {
        try {
            await work();
            this.face = "ready";
            this.problem = null;
        } catch (error) {
            this.problem = asProblem(error);
            if (this.facts.length === 0) this.face = "failed";
        }
    }

    private async fetch(query: string): Promise<void> {
        const { events, more } = await this.host.request<Events>("GET", `/api/sessions/${this.id}/events?${query}`);
        const facts = events.filter(isFact);
        this.add(facts);
        this.start = !more;
        const span: Span = { session_id: this.id, from: this.facts[0]?.seq ?? 0, start: this.start };
        await this.shelf.keep(facts, null).then(
            () => this.shelf.setSpan(span),
            () => {},
        );
    }

    private add(facts: Fact[]): void {
        const fresh = facts.filter((fact) => !this.seqs.has(fact.seq));
        if (fresh.length === 0) return;
        for (const fact of fresh) this.seqs.add(fact.seq);
        const all = [...this.facts, ...fresh];
        const last = this.facts.at(-1)?.seq ?? -1;
        this.facts = fresh.every((fact, n) => fact.seq > (fresh[n - 1]?.seq ?? last)) ? all : all.sort((a, b) => a.seq - b.seq);
        this.items = transcript(this.facts);
    }
}
