// What was said here. It is kept before it is shown, sent in order, again until it is acknowledged, and said once: the
// gateway knows it by the id it was given here.

import type { Frame, Image, ModeWord, Said, Started, WhenWord } from "../api/wire";
import type { Host } from "../host";
import { type Problem, asProblem } from "../problem";
import { type Shelf, type Unsent, isFact } from "../shelf";

export interface Opening {
    agent?: string;
    permission_mode?: ModeWord;
    model?: string;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** Once acknowledged, the words wait this long at most for the event that shows them. */
const SHOWN_WITHIN_MS = 20_000;

export class Outbox {
    all = $state.raw<Unsent[]>([]);
    private sending = false;
    /** The line came back while a try was under way that may not have noticed. */
    private rung = false;
    private failures = 0;
    private timer: ReturnType<typeof setTimeout> | undefined;

    constructor(
        private readonly host: Host,
        private readonly shelf: Pick<Shelf, "outbox" | "putUnsent" | "dropUnsent">,
        /** The newest event this phone knows. */
        private readonly lastEvent: () => number,
        /** A session that was `new:` is open now. */
        private readonly opened: (was: string, id: string) => void,
    ) {}

    async restore(): Promise<void> {
        const kept = await this.shelf.outbox();
        this.all = kept.map((unsent) => ({ ...unsent, state: unsent.state === "refused" ? unsent.state : ("waiting" as const) })).sort((a, b) => a.at - b.at);
        void this.flush();
    }

    of(session: string): Unsent[] {
        return this.all.filter((unsent) => unsent.session === session);
    }

    /** Those whose event is not among the session's facts yet. */
    shownIn(session: string): Unsent[] {
        return this.of(session).filter((unsent) => unsent.event === null || unsent.event > this.lastEvent());
    }

    /** Resolves once the words are on this phone's disk. */
    async say(session: string, text: string, images: Image[], when: WhenWord, start: Opening | null = null): Promise<void> {
        // Two in the same millisecond keep their order.
        const at = Math.max(Date.now(), (this.all.at(-1)?.at ?? 0) + 1);
        const unsent: Unsent = { client_id: crypto.randomUUID(), session, text, images, when, start, at, state: "waiting", problem: null, after: 0, event: null };
        await this.shelf.putUnsent(unsent);
        this.all = [...this.all, unsent];
        void this.flush();
    }

    /** A refused one, once more. */
    async again(clientId: string): Promise<void> {
        await this.change(clientId, { state: "waiting", problem: null });
        this.failures = 0;
        void this.flush();
    }

    async takeBack(clientId: string): Promise<Unsent | undefined> {
        const unsent = this.all.find((u) => u.client_id === clientId && u.state !== "sending");
        if (unsent) await this.drop(clientId);
        return unsent;
    }

    /** Sends what waits, one after the other. Called whenever the line may be back. */
    async flush(): Promise<void> {
        clearTimeout(this.timer);
        this.rung = this.sending;
        if (this.sending) return;
        this.sending = true;
        try {
            for (let next = this.next(); next; next = this.next()) {
                if (!(await this.deliver(next))) break;
            }
        } finally {
            this.sending = false;
        }
    }

    hear(frame: Frame): void {
        if (!isFact(frame) || frame.type !== "streamData" || frame.data.kind !== "said") return;
        const { session_id, text } = frame.data;
        const mine = this.all.find((u) => u.event === frame.seq) ?? this.all.find((u) => this.isSaid(u, frame.seq, session_id, text));
        if (!mine) return;
        if (mine.state === "sent") void this.drop(mine.client_id);
        // Its acknowledgement is still on the way: no longer shown, and sent again if it does not come.
        else this.patch(mine.client_id, { event: frame.seq });
    }

    private isSaid(unsent: Unsent, seq: number, session: string, text: string): boolean {
        const tried = unsent.state !== "refused" && unsent.after > 0;
        return tried && unsent.event === null && seq > unsent.after && unsent.session === session && unsent.text === text;
    }

    private next(): Unsent | undefined {
        return this.all.find((u) => u.state === "waiting");
    }

    /** Whether to go on with the next. */
    private async deliver(unsent: Unsent): Promise<boolean> {
        const { client_id } = unsent;
        this.patch(client_id, { state: "sending", after: unsent.after || Math.max(1, this.lastEvent()) });
        try {
            const session = await this.open(unsent);
            const { text, images, when } = unsent;
            const said = await this.host.request<Said>("POST", `/api/stream/${session}`, { text, images, client_id, when });
            await this.acknowledged(client_id, said);
            this.failures = 0;
            return true;
        } catch (error) {
            return this.failed(client_id, asProblem(error));
        }
    }

    /** The session the words are for. */
    private async open({ session, start }: Unsent): Promise<string> {
        if (!session.startsWith("new:")) return session;
        const started = await this.host.request<Started>("POST", "/api/stream/start", { ...start, client_id: session.slice(4) });
        for (const { client_id } of this.of(session)) await this.change(client_id, { session: started.session_id, start: null });
        this.opened(session, started.session_id);
        return started.session_id;
    }

    private async acknowledged(clientId: string, said: Said): Promise<void> {
        await this.shelf.dropUnsent(clientId);
        const shown = said.event <= this.lastEvent() || this.all.find((u) => u.client_id === clientId)?.event === said.event;
        if (shown) this.all = this.all.filter((u) => u.client_id !== clientId);
        else {
            this.patch(clientId, { state: "sent", event: said.event });
            setTimeout(() => (this.all = this.all.filter((u) => u.client_id !== clientId)), SHOWN_WITHIN_MS);
        }
    }

    private async failed(clientId: string, problem: Problem): Promise<boolean> {
        if (problem.shutOut) {
            this.patch(clientId, { state: "waiting" });
            return false;
        }
        if (!problem.passes) {
            const { code, message, suggestion } = problem;
            await this.change(clientId, { state: "refused", problem: { code, message, suggestion }, event: null });
            return true;
        }
        this.patch(clientId, { state: "waiting" });
        if (this.rung) {
            this.rung = false;
            return true;
        }
        const wait = (problem.retryAfter ?? 0) * 1000 || Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.failures++);
        this.timer = setTimeout(() => void this.flush(), wait);
        return false;
    }

    private patch(clientId: string, change: Partial<Unsent>): void {
        this.all = this.all.map((u) => (u.client_id === clientId ? { ...u, ...change } : u));
    }

    private async change(clientId: string, change: Partial<Unsent>): Promise<void> {
        this.patch(clientId, change);
        const unsent = this.all.find((u) => u.client_id === clientId);
        if (unsent) await this.shelf.putUnsent(unsent);
    }

    private async drop(clientId: string): Promise<void> {
        this.all = this.all.filter((u) => u.client_id !== clientId);
        await this.shelf.dropUnsent(clientId);
    }
}
