// What the local door says beside the companion API: the computer's own side, for the window alone. Times are milliseconds since
// 1970, money is in dollars.

import type { Complete, HouseStatus, ModeWord, SessionShown } from "./wire";

export interface ImageShown {
    state: "ready" | "missing" | "old" | "building" | "failed";
    says: string;
    /** 0 to 1, while it is built. */
    progress?: number | null;
}

export interface SandboxShown {
    state: string;
    says: string | null;
    image: ImageShown;
}

export interface Texting {
    set_up: boolean;
    number?: string | null;
    works?: boolean | null;
    says?: string | null;
}

export interface SpendToday {
    dollars: number;
    cap_dollars: number | null;
    tokens: number;
    responses: number;
}

export type StepId = "docker" | "image" | "key" | "tunnel" | "texting" | "allow" | "phone";

export interface SetupStep {
    id: StepId;
    state: "todo" | "doing" | "done" | "skipped" | "broken";
    says: string;
    suggestion?: string | null;
}

/** `GET /home` */
export interface Home {
    version: string;
    /** The computer's. */
    name: string;
    uptime_ms: number;
    house: HouseStatus;
    sandbox: SandboxShown;
    texting: Texting;
    today: SpendToday;
    open_approvals: number;
    /** Sessions at work. */
    working: number;
    steps: SetupStep[];
    restart_needed: boolean;
}

/** One thing that was looked at, in `GET /doctor`. */
export interface Finding {
    what: string;
    state: "well" | "note" | "broken";
    says: string;
    /** What to do; empty if nothing. */
    mend: string;
    /** What `POST /mend/{fix}` can do about it. */
    fix?: string | null;
    fix_label?: string | null;
    /** Where reading helps. */
    link?: string | null;
}

export interface Field {
    /** `spend.day` */
    key: string;
    kind: "text" | "number" | "switch" | "choice" | "list";
    label: string;
    help: string;
    choices?: string[] | null;
    unit?: string | null;
    default: unknown;
    section: string;
    /** It takes effect when Lanyard starts again. */
    restart: boolean;
}

export type Nested = { [key in string]: unknown };

/** `GET /settings` */
export interface Settings {
    values: Nested;
    fields: Field[];
    /** Where the file is. */
    path: string;
    restart_needed?: boolean;
}

export type AccountName = "anthropic" | "twilio" | "ngrok" | "github" | (string & {});

export interface Checked {
    ok: boolean;
    code?: string | null;
    says: string;
}

export interface AccountShown {
    account: AccountName;
    state: "kept" | "missing" | "locked" | "denied" | "absent" | "slow";
    /** Where it was found: `keychain`, `environment`, `file`. */
    source?: string | null;
    problem?: { code: string; message: string; suggestion: string } | null;
    needed_for: string;
    checked?: Checked | null;
}

export interface TwilioAccount {
    friendly_name: string;
    status: string;
    type: string;
}

export interface TwilioNumber {
    number: string;
    sid: string;
    label: string;
    sms: boolean;
    mms: boolean;
    kind: string;
    registration: { state: string; says: string; suggestion?: string | null; link?: string | null };
    webhook?: string | null;
    /** Its webhook leads here. */
    ours: boolean;
}

export interface WebhookProof {
    set: boolean;
    /** A rightly signed request was let in. */
    accepted: boolean;
    /** A wrongly signed one was not. */
    refused: boolean;
    says: string;
}

export interface Hello {
    state: "sent" | "delivered" | "failed" | "answered";
    says: string;
    code?: string | null;
}

export interface UsageRow {
    /** The day (`2026-11-21`), the session's id or the agent's name. */
    key: string;
    label: string;
    dollars: number;
    tokens_in: number;
    tokens_out: number;
    tokens_cache_read: number;
    tokens_cache_write: number;
    responses: number;
    turns: number;
    time_ms: number;
}

export type UsageBy = "day" | "session" | "agent";

/** `GET /usage` */
export interface Usage {
    from: number;
    to: number;
    total: UsageRow;
    rows: UsageRow[];
}

export interface ActivityItem {
    id: string;
    at: number;
    kind: string;
    title: string;
    detail?: string | null;
    who?: string | null;
    channel?: string | null;
    from?: string | null;
    session_id?: string | null;
    session_number?: number | null;
}

/** `GET /activity`, newest first. */
export interface Activity {
    items: ActivityItem[];
    /** Give it as `before`; none: this was the last page. */
    next?: string | null;
}

/** A conversation in Claude Code's own history on this computer. */
export interface Importable {
    path: string;
    project: string;
    first_words: string;
    at: number;
    events: number;
    /** It is here already. */
    known: boolean;
}

export interface Imported {
    sessions: number;
    events: number;
    skipped: { path: string; why: string }[];
}

/** How an answer or a question reached a person. */
export interface Sent {
    to: "sms" | "push";
    /** The end of the number, or the phone's name. */
    name: string;
    state: "waiting" | "sent" | "delivered" | "failed" | "shown";
    why?: string | null;
    at: number;
}

export type WithSent = Complete & { sent?: Sent[] };

/** A session as the window lists it. */
export type SessionListed = SessionShown & { cost_dollars?: number };

export interface SessionFilter {
    state: SessionShown["state"] | "";
    agent: string;
    tag: string;
}

export const MODE_WORDS: ModeWord[] = ["default", "acceptEdits", "plan"];

export interface Tunnel {
    words: string;
    page_in_the_way?: { message: string; suggestion: string } | null;
}
