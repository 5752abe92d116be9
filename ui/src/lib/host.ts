// The only place that reaches out. A phone does it by fetch and WebSocket.

import type { ClientFrame, Frame } from "./api/wire";
import { Problem, asProblem, problemIn, unreached } from "./problem";

export type Method = "GET" | "POST" | "PATCH" | "DELETE";

export interface Hears {
    frame(frame: Frame): void;
    /** The line is down and stays down. Said once, and never after `close`. */
    closed(why: Problem): void;
}

export interface Line {
    /** Thrown away if the line is down. */
    send(frame: ClientFrame): void;
    close(): void;
}

export interface Host {
    /** One question, one answer: parsed if it is JSON, text if not. Throws `Problem`. */
    request<T>(method: Method, path: string, body?: unknown): Promise<T>;
    /** Everything that happens after the event `after`, until the line breaks; without one, from now on. */
    subscribe(after: number | null, hears: Hears): Line;
}

/** Where a host gets what lets it in. */
export interface Pass {
    access(): Promise<string>;
    /** This one was refused as too old. */
    stale(token: string): void;
}

/** Longer than a gateway takes to start; a phone on a train may have lost its line without saying so. */
const PATIENCE_MS = 20_000;

/** Over REST, with or without a token. Throws `Problem`. */
export async function reach<T>(method: Method, path: string, body?: unknown, token?: string): Promise<T> {
    const headers: Record<string, string> = { accept: "application/json" };
    if (body !== undefined) headers["content-type"] = "application/json";
    if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
    const response = await fetched(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await response.text().catch(() => {
        throw unreached();
    });
    const parsed = parse(text);
    if (!response.ok) throw withRetry(problemIn(parsed, response.status), response);
    const json = response.headers.get("content-type")?.includes("json") ?? false;
    if (json && parsed === undefined && text !== "") throw new Problem("BAD_ANSWER", "The answer cannot be read.", "Reload the page.");
    return (parsed === undefined ? text : parsed) as T;
}

async function fetched(path: string, init: RequestInit): Promise<Response> {
    try {
        return await fetch(path, { ...init, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    } catch {
        throw unreached();
    }
}

function parse(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}

function withRetry(problem: Problem, response: Response): Problem {
    const seconds = Number(response.headers.get("retry-after"));
    if (problem.retryAfter === null && seconds > 0) problem.retryAfter = seconds;
    return problem;
}

/** What a browser on a phone has. */
export class WebHost implements Host {
    constructor(private readonly pass: Pass) {}

    async request<T>(method: Method, path: string, body?: unknown): Promise<T> {
        const token = await this.pass.access();
        try {
            return await reach<T>(method, path, body, token);
        } catch (error) {
            if (!(error instanceof Problem) || error.code !== "TOKEN_EXPIRED") throw error;
            this.pass.stale(token);
            return await reach<T>(method, path, body, await this.pass.access());
        }
    }

    subscribe(after: number | null, hears: Hears): Line {
        let socket: WebSocket | null = null;
        let over = false;
        let refused: string | null = null;
        const end = (why: Problem) => {
            if (over) return;
            over = true;
            // A browser does not say why a line was not opened. It may be the token: the next try gets a new one, or the reason.
            if (refused !== null) this.pass.stale(refused);
            hears.closed(why);
        };
        const frame = (frame: Frame) => {
            refused = null;
            if (!over) hears.frame(frame);
        };
        this.pass.access().then(
            (token) => {
                if (over) return;
                refused = token;
                socket = open(after, token, { frame, closed: end });
            },
            (error: unknown) => end(asProblem(error)),
        );
        return {
            send: (frame) => {
                if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
            },
            close: () => {
                over = true;
                socket?.close();
            },
        };
    }
}

/** The token goes as a subprotocol: a browser can set no header here, and an address would be kept in logs. */
function open(after: number | null, token: string, hears: Hears): WebSocket {
    const url = new URL("/ws", location.href);
    url.protocol = url.protocol === "http:" ? "ws:" : "wss:";
    if (after !== null) url.searchParams.set("after", String(after));
    const socket = new WebSocket(url, ["lanyard.v1", `lanyard.bearer.${token}`]);
    socket.onmessage = ({ data }) => {
        const frame = typeof data === "string" ? parse(data) : undefined;
        if (isFrame(frame)) hears.frame(frame);
    };
    socket.onclose = () => hears.closed(unreached());
    return socket;
}

function isFrame(value: unknown): value is Frame {
    const frame = value as { type?: unknown; data?: unknown } | null | undefined;
    return typeof frame?.type === "string" && typeof frame.data === "object" && frame.data !== null;
}
