// What was said here.

import type { Frame, Image, ModeWord, Said, Started, WhenWord } from "../api/wire";
import type { Host } from "../host";
import type { Problem } from "../problem";
import { type Shelf, type Unsent, isFact } from "../shelf";
import { Sending } from "./sending.svelte";

export interface Opening {
    agent?: string;
    permission_mode?: ModeWord;
    model?: string;
}

/** Once acknowledged, the words wait this long at most for the event that shows them. */
const SHOWN_WITHIN_MS = 20_000;

export class Outbox extends Sending<Unsent> {
    constructor(
        private readonly host: Host,
        private readonly shelf: Pick<Shelf, "outbox" | "putUnsent" | "dropUnsent">,
        /** The newest event this phone knows. */
        private readonly lastEvent: () => number,
        /** A session that was `new:` is open now. */
        private readonly opened: (was: string, id: string) => void,
    ) {
        super({ all: () => shelf.outbox(), put: (unsent) => shelf.putUnsent(unsent), drop: (id) => shelf.dropUnsent(id) });
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
        await this.add({ session, text, images, when, start, after: 0, event: null });
        void this.flush();
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

    protected override async deliver(unsent: Unsent): Promise<void> {
        const { client_id, text, images, when } = unsent;
        this.patch(client_id, { after: unsent.after || Math.max(1, this.lastEvent()) });
        const session = await this.open(unsent);
        const said = await this.host.request<Said>("POST", `/api/stream/${session}`, { text, images, client_id, when });
        await this.acknowledged(client_id, said);
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
        const shown = said.event <= this.lastEvent() || this.get(clientId)?.event === said.event;
        if (shown) this.all = this.all.filter((u) => u.client_id !== clientId);
        else {
            this.patch(clientId, { state: "sent", event: said.event });
            setTimeout(() => (this.all = this.all.filter((u) => u.client_id !== clientId)), SHOWN_WITHIN_MS);
        }
    }

    protected override refused(clientId: string, problem: Problem): Promise<void> {
        this.patch(clientId, { event: null });
        return super.refused(clientId, problem);
    }
}
