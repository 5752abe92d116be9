// What this phone keeps between visits, in IndexedDB: who it is, history, and what was said and is not sent yet.

import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { ApprovalShown, Frame, Image, MakeTask, ModeWord, Refresh, ScopeWord, SessionShown, TaskShown, WhenWord } from "./api/wire";

/** What a paired phone is. */
export interface Paired {
    id: string;
    name: string;
    scopes: ScopeWord[];
    refresh_token: string;
    /** The private half cannot be read, only used. */
    keys: CryptoKeyPair;
    /** A refresh that was sent and whose answer never came: sent again to the letter, it gets the same answer. */
    pending: Refresh | null;
    /** Gateway's clock minus phone's, in milliseconds. */
    skew: number;
}

/** A durable frame. */
export type Fact = Frame & { seq: number };

/** Which part of a session's history is here: everything from `from` on. */
export interface Span {
    session_id: string;
    from: number;
    /** Nothing came before `from`. */
    start: boolean;
}

/** What was made here and is not known to be at the gateway yet. */
export interface Item {
    client_id: string;
    /** When it was made; two never have the same. */
    at: number;
    state: "waiting" | "sending" | "refused" | "sent";
    problem: { code: string; message: string; suggestion: string } | null;
}

/** Words that are not known to be said yet. */
export interface Unsent extends Item {
    /** A session's id; or `new:` and the client's id of a session that is not open yet. */
    session: string;
    text: string;
    images: Image[];
    when: WhenWord;
    /** For a session that is to be opened. */
    start: { agent?: string; permission_mode?: ModeWord; model?: string } | null;
    /** The newest event when it was first sent: what says it comes later. */
    after: number;
    /** The event that says it. */
    event: number | null;
}

/** A task that is wished for and not known to be made yet. */
export interface Wished extends Item {
    make: MakeTask;
}

/** What was known when the page was last open. */
export interface Picture {
    sessions: SessionShown[];
    approvals: ApprovalShown[];
    /** A picture from before there were tasks has none. */
    tasks?: TaskShown[];
}

interface Schema extends DBSchema {
    self: { key: "paired"; value: Paired };
    facts: { key: number; value: { seq: number; session: string; frame: Fact }; indexes: { session: [string, number] } };
    spans: { key: string; value: Span };
    outbox: { key: string; value: Unsent };
    wishes: { key: string; value: Wished };
    notes: { key: string; value: unknown };
}

/** Where the service worker keeps pictures that were looked at. */
export const PICTURES = "lanyard-pictures";

/** A session keeps this many of its newest facts; a phone shows a screenful at a time. */
const FACTS_PER_SESSION = 600;
const SESSIONS_KEPT = 40;
const STORES = ["self", "facts", "spans", "outbox", "wishes", "notes"] as const;

export class Shelf {
    private constructor(private readonly db: IDBPDatabase<Schema>) {}

    static async open(name = "lanyard"): Promise<Shelf> {
        const db = await openDB<Schema>(name, 2, {
            upgrade(db, was) {
                if (was < 2) db.createObjectStore("wishes", { keyPath: "client_id" });
                if (was >= 1) return;
                db.createObjectStore("self");
                db.createObjectStore("facts", { keyPath: "seq" }).createIndex("session", ["session", "seq"]);
                db.createObjectStore("spans", { keyPath: "session_id" });
                db.createObjectStore("outbox", { keyPath: "client_id" });
                db.createObjectStore("notes");
            },
            // Another page wants to change the shape of things: let it.
            blocking: (_now, _next, event) => (event.target as IDBDatabase).close(),
        });
        return new Shelf(db);
    }

    close(): void {
        this.db.close();
    }

    paired(): Promise<Paired | undefined> {
        return this.db.get("self", "paired");
    }

    async pair(paired: Paired): Promise<void> {
        await this.db.put("self", paired, "paired");
    }

    note<T>(name: string): Promise<T | undefined> {
        return this.db.get("notes", name) as Promise<T | undefined>;
    }

    async write(name: string, value: unknown): Promise<void> {
        await this.db.put("notes", value, name);
    }

    /** Facts and the cursor behind them become known together, or not at all. */
    async keep(facts: Fact[], cursor: number | null): Promise<void> {
        const tx = this.db.transaction(["facts", "notes"], "readwrite");
        for (const frame of facts) void tx.objectStore("facts").put({ seq: frame.seq, session: sessionOf(frame), frame });
        if (cursor !== null) void tx.objectStore("notes").put({ seq: cursor, at: Date.now() }, "cursor");
        await tx.done;
    }

    cursor(): Promise<{ seq: number; at: number } | undefined> {
        return this.note("cursor");
    }

    async facts(session: string): Promise<Fact[]> {
        const rows = await this.db.getAllFromIndex("facts", "session", within(session));
        return rows.map((row) => row.frame);
    }

    /** The newest facts of any session in which `found` sees something. */
    async search(found: (frame: Fact) => boolean, most: number): Promise<Fact[]> {
        const hits: Fact[] = [];
        let cursor = await this.db.transaction("facts").store.openCursor(null, "prev");
        while (cursor && hits.length < most) {
            if (found(cursor.value.frame)) hits.push(cursor.value.frame);
            cursor = await cursor.continue();
        }
        return hits;
    }

    span(session: string): Promise<Span | undefined> {
        return this.db.get("spans", session);
    }

    async setSpan(span: Span): Promise<void> {
        await this.db.put("spans", span);
    }

    outbox(): Promise<Unsent[]> {
        return this.db.getAll("outbox");
    }

    async putUnsent(unsent: Unsent): Promise<void> {
        await this.db.put("outbox", unsent);
    }

    async dropUnsent(clientId: string): Promise<void> {
        await this.db.delete("outbox", clientId);
    }

    wishes(): Promise<Wished[]> {
        return this.db.getAll("wishes");
    }

    async putWish(wish: Wished): Promise<void> {
        await this.db.put("wishes", wish);
    }

    async dropWish(clientId: string): Promise<void> {
        await this.db.delete("wishes", clientId);
    }

    /** Drops what is too old to keep. `sessions`: the one last used first. */
    async prune(sessions: string[]): Promise<void> {
        for (const [place, session] of sessions.entries()) {
            const seqs = await this.db.getAllKeysFromIndex("facts", "session", within(session));
            const keep = place < SESSIONS_KEPT ? FACTS_PER_SESSION : 0;
            if (seqs.length <= keep) continue;
            await this.drop(session, seqs.slice(0, seqs.length - keep), seqs[seqs.length - keep]);
        }
    }

    private async drop(session: string, seqs: number[], oldest: number | undefined): Promise<void> {
        const tx = this.db.transaction(["facts", "spans"], "readwrite");
        for (const seq of seqs) void tx.objectStore("facts").delete(seq);
        if (oldest === undefined) void tx.objectStore("spans").delete(session);
        else if (await tx.objectStore("spans").get(session)) void tx.objectStore("spans").put({ session_id: session, from: oldest, start: false });
        await tx.done;
    }

    /** History that no longer holds; what is not sent yet stays. */
    async forgetHistory(): Promise<void> {
        const tx = this.db.transaction(["facts", "spans", "notes"], "readwrite");
        await Promise.all([tx.objectStore("facts").clear(), tx.objectStore("spans").clear(), tx.objectStore("notes").clear(), tx.done]);
    }

    /** Everything: the phone was forgotten or revoked. */
    async wipe(): Promise<void> {
        if ("caches" in globalThis) await caches.delete(PICTURES).catch(() => false);
        const tx = this.db.transaction([...STORES], "readwrite");
        await Promise.all([...STORES.map((name) => tx.objectStore(name).clear()), tx.done]);
    }
}

function within(session: string): IDBKeyRange {
    return IDBKeyRange.bound([session, 0], [session, Number.MAX_SAFE_INTEGER]);
}

export function isFact(frame: Frame): frame is Fact {
    return typeof frame.seq === "number";
}

export function sessionOf(frame: Frame): string {
    return (frame.data as { session_id?: string }).session_id ?? "";
}

/** When it happened, if the frame says so. */
export function timeOf(frame: Frame): number | null {
    const data = frame.data as { at?: number; asked_at?: number };
    return data.at ?? data.asked_at ?? null;
}
