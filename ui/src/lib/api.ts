// What the gateway says to the holder of a link, and every way it can fail.

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

/** A refusal or a failure, with what a person can do about it. */
export class Problem extends Error {
    constructor(
        readonly code: string,
        message: string,
        readonly suggestion: string,
    ) {
        super(message);
    }
}

/** Longer than a gateway takes to start; a phone on a train may have lost its line without saying so. */
const PATIENCE_MS = 20_000;

export function readLink(token: string): Promise<Shown> {
    return ask(`/api/link/${encodeURIComponent(token)}`, "GET");
}

export function denyLink(token: string): Promise<Shown> {
    return ask(`/api/link/${encodeURIComponent(token)}/deny`, "POST");
}

async function ask(path: string, method: "GET" | "POST"): Promise<Shown> {
    const response = await reach(path, method);
    const body: unknown = await response.json().catch(() => null);
    if (!response.ok) throw problemIn(body, response.status);
    if (!isShown(body)) throw new Problem("BAD_ANSWER", "The answer cannot be read.", "Reload the page.");
    return body;
}

async function reach(path: string, method: string): Promise<Response> {
    try {
        const headers = { accept: "application/json" };
        return await fetch(path, { method, headers, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    } catch {
        const offline = typeof navigator !== "undefined" && navigator.onLine === false;
        throw offline
            ? new Problem("OFFLINE", "This phone is offline.", "The page loads by itself once the connection is back.")
            : new Problem("UNREACHABLE", "Your computer does not answer.", "Check that it is awake and that Lanyard is running, then try again.");
    }
}

function isShown(body: unknown): body is Shown {
    const kind = (body as { kind?: unknown } | null)?.kind;
    return kind === "answer" || kind === "approval";
}

/** `{type: "error", data: {code, message, details: {suggestion}}}`, or the same without its wrapping. */
function problemIn(body: unknown, status: number): Problem {
    const outer = (body ?? {}) as { data?: unknown };
    const inner = (outer.data ?? outer) as { code?: unknown; message?: unknown; suggestion?: unknown; details?: { suggestion?: unknown } };
    const text = (value: unknown, otherwise: string) => (typeof value === "string" && value !== "" ? value : otherwise);
    const code = text(inner.code, status === 404 ? "NOT_FOUND" : status === 410 ? "LINK_EXPIRED" : "FAILED");
    const suggestion = text(inner.suggestion ?? inner.details?.suggestion, "Try again in a moment.");
    return new Problem(code, text(inner.message, `The gateway answered with an error (${status}).`), suggestion);
}
