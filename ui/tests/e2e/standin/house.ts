// What the stand-in gateway knows: sessions, numbered events, approvals, tasks, and who may come in.

import { randomUUID, webcrypto } from "node:crypto";
import type { ApprovalShown, ArtifactShown, ChannelWord, Frame, HouseStatus, Pair, Refresh, SessionShown, Tokens, Welcome, You } from "../../../src/lib/api/wire";
import { Queue } from "./tasks.ts";

type Fact = Frame & { seq: number };
interface PhoneRow {
    id: string;
    name: string;
    key: CryptoKey;
    refresh: string;
    /** The last refresh and its answer: the very same gets it again. */
    last: { asked: string; answer: Tokens } | null;
    used: Set<string>;
    revoked: boolean;
}

export class Refused extends Error {
    constructor(
        readonly status: number,
        readonly code: string,
        message: string,
        readonly suggestion: string,
        readonly details: object = {},
    ) {
        super(message);
    }
}

const REVOKED = () => new Refused(401, "PHONE_REVOKED", "This phone may not come in any more.", "Pair it again at the desk: lanyard pair.");

export class House {
    readonly events: Fact[] = [];
    readonly sessions = new Map<string, SessionShown>();
    readonly approvals = new Map<string, ApprovalShown>();
    readonly tasks = new Queue((frame) => this.tell(frame));
    readonly artifacts = new Map<string, ArtifactShown & { session: string; data: Buffer }>();
    /** Words by the client's id, so that they are said once. */
    readonly said = new Map<string, object>();
    readonly codes = new Set<string>();
    readonly phones = new Map<string, PhoneRow>();
    readonly access = new Map<string, { phone: PhoneRow; until: number }>();
    /** Its addresses on the local network, and the one out in the world. */
    lan: string[] = [];
    tunnel: string | null = null;
    sandbox = "ready";
    features = ["chat", "approvals", "search", "export", "texting"];
    refreshes = 0;
    accessSeconds = 900;
    tell: (frame: Frame) => void = () => {};
    private messages = 0;
    private readonly bySession = new Map<string, Fact[]>();

    code(): string {
        const code = randomUUID().replaceAll("-", "");
        this.codes.add(code);
        return code;
    }

    async pair({ code, name, public_key }: Pair): Promise<Tokens> {
        if (!this.codes.delete(code)) throw new Refused(403, "PAIRING_FAILED", "The pairing code is wrong, was used, or has run out.", "Show a new one at the desk and scan that: lanyard pair.");
        const key = await webcrypto.subtle.importKey("jwk", public_key as JsonWebKey, { name: "ECDSA", namedCurve: "P-256" }, true, ["verify"]);
        const phone: PhoneRow = { id: randomUUID(), name, key: key as CryptoKey, refresh: randomUUID(), last: null, used: new Set(), revoked: false };
        this.phones.set(phone.id, phone);
        return this.tokens(phone);
    }

    async refresh(asked: Refresh): Promise<Tokens> {
        const words = JSON.stringify(asked);
        const rows = [...this.phones.values()];
        const again = rows.find((p) => p.last?.asked === words);
        if (again?.last && !again.revoked) return again.last.answer;
        const phone = rows.find((p) => p.refresh === asked.refresh_token || p.used.has(asked.refresh_token));
        if (!phone) throw new Refused(401, "NOT_PAIRED", "The request carries no token that is known.", "Pair this device.");
        if (phone.used.has(asked.refresh_token)) phone.revoked = true;
        if (phone.revoked) throw REVOKED();
        const signed = new TextEncoder().encode(`lanyard-refresh\n${asked.at}\n${asked.refresh_token}`);
        const good = await webcrypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, phone.key, Buffer.from(asked.signature ?? "", "base64"), signed);
        if (!good) throw new Refused(401, "SIGNATURE_WRONG", "The request is not signed by this phone's key.", "Pair the phone again.");
        this.refreshes++;
        phone.used.add(phone.refresh);
        phone.refresh = randomUUID();
        const answer = this.tokens(phone);
        phone.last = { asked: words, answer };
        return answer;
    }

    private tokens(phone: PhoneRow): Tokens {
        const access_token = randomUUID();
        this.access.set(access_token, { phone, until: Date.now() + this.accessSeconds * 1000 });
        return { access_token, expires_in: this.accessSeconds, refresh_token: phone.refresh, you: this.you(phone), now: Date.now() };
    }

    you(phone: Pick<PhoneRow, "id" | "name">): You {
        return { kind: "phone", id: phone.id, name: phone.name, scopes: ["read", "chat", "approve", "tasks"] };
    }

    caller(token: string | undefined): PhoneRow {
        const held = this.access.get(token ?? "");
        if (!held) throw new Refused(401, "NOT_PAIRED", "The request carries no token that is known.", "Pair this device.");
        if (held.phone.revoked) throw REVOKED();
        if (held.until < Date.now()) throw new Refused(401, "TOKEN_EXPIRED", "The access token has run out.", "Get a new one with the refresh token.");
        return held.phone;
    }

    revokeAll(): void {
        for (const phone of this.phones.values()) phone.revoked = true;
    }

    get last(): number {
        return this.events.at(-1)?.seq ?? 0;
    }

    welcome(you: You): Frame {
        const open = [...this.approvals.values()].filter((a) => a.state === "open");
        const sessions = [...this.sessions.values()].sort((a, b) => b.last_at - a.last_at).slice(0, 50);
        const data: Welcome = { protocol: 1, version: "0.4.0", now: Date.now(), you, status: this.status, sessions, approvals: open, tasks: this.tasks.newest.slice(0, 30), last_event: this.last, letters: [] };
        return { type: "welcome", data };
    }

    get status(): HouseStatus {
        return { sandbox: this.sandbox, sandbox_says: null, tunnel: this.tunnel, tunnel_state: this.tunnel ? "open" : "off", tunnel_says: null, lan: this.lan, sessions: { active: 1, max: 4 } };
    }

    /** A session's events. */
    of(id: string): Fact[] {
        return this.bySession.get(id) ?? [];
    }

    open(title: string, change: Partial<SessionShown> = {}): SessionShown {
        const number = this.sessions.size + 1;
        const now = Date.now();
        const session: SessionShown = { id: randomUUID(), number, title, agent: "default", permission_mode: "default", model: null, state: "idle", doing: null, waiting: 0, tags: [], created_at: now, last_at: now, cost_dollars: 0, tokens: { input: 0, output: 0, cache_read: 0, cache_write: 0 }, ...change };
        this.sessions.set(session.id, session);
        return session;
    }

    stand(id: string, change: Partial<SessionShown>): void {
        const session = this.sessions.get(id);
        if (!session) return;
        Object.assign(session, change);
        this.tell({ type: "status", data: { kind: "session", ...session } });
    }

    /** A durable fact. */
    fact(frame: Frame): Fact {
        const fact = { seq: this.last + 1, ...frame } as Fact;
        this.events.push(fact);
        const id = (frame.data as { session_id: string }).session_id;
        const own = this.bySession.get(id) ?? [];
        this.bySession.set(id, own);
        own.push(fact);
        const session = this.sessions.get((frame.data as { session_id: string }).session_id);
        if (session) session.last_at = Date.now();
        this.tell(fact);
        return fact;
    }

    say(session: string, text: string, channel: ChannelWord = "phone", when: "queue" | "steer" = "queue", pictures: string[] = []): { event: number; message: number } {
        const message = ++this.messages;
        const { seq } = this.fact({ type: "streamData", data: { kind: "said", session_id: session, at: Date.now(), message, channel, text, pictures, when } });
        const shown = this.sessions.get(session);
        if (shown && shown.title === "") this.stand(session, { title: text.split("\n")[0]?.slice(0, 60) ?? "" });
        return { event: seq, message };
    }

    settle(id: string, decision: ApprovalShown["state"], by: string | null = null): void {
        const approval = this.approvals.get(id);
        if (!approval) return;
        approval.state = decision;
        this.fact({ type: "permissionResolved", data: { session_id: approval.session_id, at: Date.now(), id, decision, channel: by ? "phone" : null, by } });
    }

    /** Events as they are sent: an approval with what has become of it since. */
    sent(fact: Fact): Fact {
        return fact.type === "permissionRequest" ? { ...fact, data: this.approvals.get(fact.data.id) ?? fact.data } : fact;
    }
}
