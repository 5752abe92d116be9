// What the gateway says to the holder of a link.

import { reach } from "../host";
import { Problem } from "../problem";

/** Milliseconds since 1970. */
export type Moment = number;

export interface Artifact {
    url: string;
    media_type: string;
    caption?: string | null;
}

export interface Answer {
    kind: "answer";
    session: { title: string };
    at: Moment | null;
    markdown: string;
    artifacts: Artifact[];
}

export type Risk = "low" | "medium" | "high";
export type ApprovalState = "open" | "allowed" | "allowed_always" | "answered" | "denied" | "expired" | "withdrawn";

export interface Approval {
    kind: "approval";
    id: string;
    /** The gateway's clock when it said this. */
    now: Moment;
    number: number;
    tool: string;
    input: unknown;
    /** Where the file that it names really is, where that is another one. */
    target?: string | null;
    /** Everything that would run, cleaned by the gateway. */
    shown: string;
    risk: Risk;
    state: ApprovalState;
    asked_at?: Moment | null;
    expires_at: Moment | null;
}

export type Shown = Answer | Approval;

export function readLink(token: string): Promise<Shown> {
    return ask(`/api/link/${encodeURIComponent(token)}`, "GET");
}

export function denyLink(token: string): Promise<Shown> {
    return ask(`/api/link/${encodeURIComponent(token)}/deny`, "POST");
}

async function ask(path: string, method: "GET" | "POST"): Promise<Shown> {
    const body = await reach<unknown>(method, path);
    if (!isShown(body)) throw new Problem("BAD_ANSWER", "The answer cannot be read.", "Reload the page.");
    return body;
}

function isShown(body: unknown): body is Shown {
    const kind = (body as { kind?: unknown } | null)?.kind;
    return kind === "answer" || kind === "approval";
}
