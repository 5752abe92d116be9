// One session's history as a window over it: pages come at either end as one reads on, and go at the other, so that a session of
// any length takes the same room. At its end it goes on live.

import type { Events, Frame } from "../../api/wire";
import type { Host } from "../../host";
import { type Problem, asProblem } from "../../problem";
import { type Fact, isFact } from "../../shelf";
import { type Item, transcript } from "../../transcript";
import { type Block, Words } from "../../words";

/** Facts a page; some screens full. */
const PAGE = 200;
/** Facts held. Told anew in a few milliseconds. */
export const MOST = 1_600;
/** A run of calls is parted into rows of so many events: else a page of it would be as tall as nothing. */
const ROW = 400;
const SHOW_EVERY_MS = 60;

export class Thread {
    /** Told anew with each change of the facts. */
    items = $state.raw<Item[]>([]);
    blocks = $state.raw<Block[]>([]);
    face = $state<"loading" | "ready" | "failed">("loading");
    problem = $state.raw<Problem | null>(null);
    /** Nothing came before the oldest, after the newest fact held. */
    start = $state(false);
    end = $state(false);
    /** The items changed at their beginning: whoever shows them keeps their place from the end. */
    atStart = $state(false);
    /** How often it was begun anew, at its end or around an event. */
    loads = $state(0);
    /** What is fetched now: the page at either end, or a place to leap to. While one is under way no page is begun: whoever scrolls
     * does not call off the leap. */
    fetching = $state<"older" | "newer" | "place" | null>(null);
    /** Somebody reads above the end: what they read must not go. */
    held = false;
    facts: Fact[] = [];

    /** How many questions for pages are under way. */
    private asking = 0;
    /** Said since the first of them was asked: it comes after a page that leads to the end. */
    private heard: Fact[] = [];
    /** How often the line came back. */
    private lines = 0;
    private readonly words = new Words();
    private showing: ReturnType<typeof setTimeout> | undefined;
    /** A later wish took the place of what was asked. */
    private wish = 0;

    constructor(
        readonly id: string,
        private readonly host: Host,
    ) {}

    /** The newest page, or the pages around an event. */
    async load(around: number | null = null): Promise<void> {
        if (this.items.length === 0) this.face = "loading";
        await this.turn("place", async (still) => {
            const [before, after] = await Promise.all([
                this.page(around === null ? "" : `&before=${around + 1}`),
                around === null ? { events: [], more: false } : this.page(`&after=${around}`),
            ]);
            if (!still()) return;
            this.facts = [...before.events, ...after.events].filter(isFact);
            this.start = !before.more;
            this.leadsOn(after.more);
            this.tell();
            this.loads++;
        });
    }

    /** From the first event on. What was imported has numbers below 0. */
    begin(): Promise<void> {
        return this.load(Number.MIN_SAFE_INTEGER);
    }

    /** Whether an event is held. */
    has(seq: number): boolean {
        return this.facts.some((fact) => fact.seq === seq);
    }

    async older(): Promise<void> {
        const first = this.facts[0]?.seq;
        if (this.start || this.fetching || first === undefined) return;
        await this.turn("older", async (still) => {
            const { events, more } = await this.page(`&before=${first}`);
            if (!still()) return;
            this.facts = [...events.filter(isFact), ...this.facts];
            this.start = !more;
            this.tell(true);
        });
    }

    async newer(): Promise<void> {
        const last = this.facts.at(-1)?.seq;
        if (this.end || this.fetching || last === undefined) return;
        await this.turn("newer", async (still) => {
            const { events, more } = await this.page(`&after=${last}`);
            if (!still()) return;
            this.add(events.filter(isFact));
            this.leadsOn(more);
            this.tell();
        });
    }

    /** What is too much goes, from the end that is not read, but nothing from event `keep` on towards the other. Whether something
     * went. */
    trim(from: "start" | "end", keep?: number): boolean {
        const { length } = this.facts;
        const kept = keep === undefined ? MOST : this.facts.filter(({ seq }) => (from === "start" ? seq >= keep : seq <= keep)).length;
        const left = Math.max(MOST, kept);
        if (length <= left) return false;
        if (from === "start") this.facts = this.facts.slice(-left);
        else this.facts = this.facts.slice(0, left);
        if (from === "start") this.start = false;
        else this.end = false;
        this.tell(from === "start");
        return true;
    }

    /** The line was down: pieces are lost that nobody sends again, and there may be more facts. */
    async again(): Promise<void> {
        this.lines++;
        this.words.clear();
        this.show();
        if (this.face === "failed") return this.load();
        const last = this.facts.at(-1)?.seq;
        // Also where it failed the last time the line came back.
        if (last === undefined || (!this.end && !this.problem)) return;
        this.end = false;
        // A leap under way asks its pages anew by itself.
        if (this.fetching === "place") return;
        await this.newer();
        // Too much to fetch page by page: the end is what is wanted.
        if (!this.end && !this.held && !this.problem) await this.load();
    }

    hear(frame: Frame): void {
        if (this.asking > 0 && isFact(frame)) this.heard.push(frame);
        if (this.end && isFact(frame)) this.append(frame);
        if (frame.type === "streamData" && frame.data.kind === "partial") this.words.hear(frame.data);
        else if (frame.type === "streamData" && frame.data.kind === "text") this.words.finish(frame.data.message, frame.data.text);
        else if (frame.type === "streamToolUse" && frame.data.kind === "used") this.words.thought();
        else if (frame.type === "streamComplete" || (frame.type === "error" && isFact(frame))) this.words.clear();
        else return;
        if (isFact(frame)) this.show();
        else this.showing ??= setTimeout(() => this.show(), SHOW_EVERY_MS);
    }

    private append(fact: Fact): void {
        // Read far above: the newest wait below, to be fetched when one comes there.
        if (this.held && this.facts.length > MOST) {
            this.end = false;
            return;
        }
        this.add([fact]);
        this.tell();
    }

    /** Whether more comes after the page that was added. */
    private leadsOn(more: boolean): void {
        this.end = !more;
        if (this.end) this.add(this.heard);
    }

    private add(facts: Fact[]): void {
        const last = this.facts.at(-1)?.seq ?? -Infinity;
        this.facts = [...this.facts, ...facts.filter((fact) => fact.seq > last)];
    }

    private tell(atStart = false): void {
        this.atStart = atStart;
        this.items = transcript(this.facts, ROW);
        this.face = "ready";
    }

    private show(): void {
        clearTimeout(this.showing);
        this.showing = undefined;
        this.blocks = this.words.blocks.map((block) => ({ ...block, pieces: block.pieces.map((piece) => ({ ...piece })) }));
    }

    private async turn(to: "older" | "newer" | "place", work: (still: () => boolean) => Promise<void>): Promise<void> {
        const wish = ++this.wish;
        const still = () => wish === this.wish;
        if (this.asking++ === 0) this.heard = [];
        this.fetching = to;
        let problem: Problem | null = null;
        try {
            await work(still);
        } catch (error) {
            problem = asProblem(error);
        }
        this.asking--;
        // Of what was called off nobody wants to know how it went.
        if (!still()) return;
        this.fetching = null;
        this.problem = problem;
        if (problem && this.items.length === 0) this.face = "failed";
    }

    /** Asked for anew if the line came back meanwhile: between it and what is heard since, something may be missing. */
    private async page(query: string): Promise<Events> {
        for (;;) {
            const { lines } = this;
            const page = await this.host.request<Events>("GET", `/api/sessions/${this.id}/events?limit=${PAGE}${query}`);
            if (lines === this.lines) return page;
        }
    }
}
