// Every way something can fail, with what a person can do about it.

export class Problem extends Error {
    /** Seconds after which to try again, where the gateway said so. */
    retryAfter: number | null = null;
    /** The gateway's time, where it found this phone's clock wrong. */
    now: number | null = null;
    /** Which setting was refused. */
    key: string | null = null;

    constructor(
        readonly code: string,
        message: string,
        readonly suggestion: string,
    ) {
        super(message);
    }

    /** Nobody was reached: the same request may work later. */
    get cutOff(): boolean {
        return this.code === "OFFLINE" || this.code === "UNREACHABLE";
    }

    /** This phone is no longer let in; no request will work until it is paired again. */
    get shutOut(): boolean {
        return SHUT_OUT.includes(this.code);
    }

    /** Trying later may help, without anybody doing anything. */
    get passes(): boolean {
        return this.cutOff || PASSING.includes(this.code);
    }
}

const SHUT_OUT = ["PHONE_REVOKED", "NOT_PAIRED", "SIGNATURE_WRONG"];
const PASSING = ["TOO_MANY_REQUESTS", "BUSY", "INTERNAL", "DISK_FULL", "FAILED", "TOKEN_EXPIRED", "CLOCK_WRONG"];

/** What the browser's failure to reach anybody means. */
export function unreached(): Problem {
    const offline = typeof navigator !== "undefined" && navigator.onLine === false;
    return offline
        ? new Problem("OFFLINE", "This phone is offline.", "The page goes on by itself once the connection is back.")
        : new Problem("UNREACHABLE", "Your computer does not answer.", "Check that it is awake and that Lanyard is running, then try again.");
}

export function asProblem(error: unknown): Problem {
    return error instanceof Problem ? error : new Problem("FAILED", "This page made a mistake.", "Reload the page.");
}

/** `{type: "error", data: {code, message, details: {suggestion, retry_after?, now?}}}`, or the same without its wrapping. */
export function problemIn(body: unknown, status: number): Problem {
    const outer = (body ?? {}) as { data?: unknown };
    const inner = (outer.data ?? outer) as { code?: unknown; message?: unknown; suggestion?: unknown; details?: Record<string, unknown> };
    const text = (value: unknown, otherwise: string) => (typeof value === "string" && value !== "" ? value : otherwise);
    const number = (value: unknown) => (typeof value === "number" ? value : null);
    const code = text(inner.code, codeOf(status));
    const suggestion = text(inner.suggestion ?? inner.details?.["suggestion"], "Try again in a moment.");
    const problem = new Problem(code, text(inner.message, `The gateway answered with an error (${status}).`), suggestion);
    problem.retryAfter = number(inner.details?.["retry_after"]);
    problem.now = number(inner.details?.["now"]);
    problem.key = typeof inner.details?.["key"] === "string" ? inner.details["key"] : null;
    return problem;
}

/** Whether an error is the gateway's own, and not a tunnel's or a proxy's. */
export function isOurs(body: unknown): boolean {
    return (body as { type?: unknown } | null | undefined)?.type === "error";
}

/** For an answer that is not Lanyard's own: a tunnel's or a proxy's. */
function codeOf(status: number): string {
    if (status === 404) return "NOT_FOUND";
    if (status === 410) return "LINK_EXPIRED";
    if (status === 413) return "TOO_LARGE";
    if (status === 429) return "TOO_MANY_REQUESTS";
    return status >= 502 && status <= 504 ? "UNREACHABLE" : "FAILED";
}
