// The only place that reaches out. A phone does it by fetch and WebSocket.

import type { ArtifactShown, ClientFrame, Frame } from "./api/wire";
import { Problem, asProblem, isOurs, problemIn, unreached } from "./problem";
import { Ways } from "./ways";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface Hears {
    frame(frame: Frame): void;
    /** The line is down and stays down. Said once, and never after `close`. */
    closed(why: Problem): void;
}

export interface Line {
    /** Thrown away if the line is down. */
    send(frame: ClientFrame): void;
    /** `dead`: nobody answered on it. */
    close(dead?: boolean): void;
}

export interface Host {
    /** One question, one answer: parsed if it is JSON, text if not. Throws `Problem`. */
    request<T>(method: Method, path: string, body?: unknown): Promise<T>;
    /** Everything that happens after the event `after`, until the line breaks; without one, from now on. */
    subscribe(after: number | null, hears: Hears): Line;
    /** Whether the computer is reached on its own network. */
    near(): boolean;
    /** Whether it could be now, and is not. */
    nearer(): Promise<boolean>;
    /** Whether there is any network by which it could be. */
    online(): boolean;
    /** Why nobody was reached. */
    unreached(): Problem;
    /** Where a picture or a file of a turn is, for an `<img>`. */
    addressOf(artifact: Pick<ArtifactShown, "id" | "url">): string;
    /** Where a file of the gateway's is as well, if the page's own address is not the one in use. */
    elsewhere(path: string): string | null;
}

/** Where a host gets what lets it in. */
export interface Pass {
    access(): Promise<string>;
    /** This one was refused as too old. */
    stale(token: string): void;
}

/** Longer than a gateway takes to start; a phone on a train may have lost its line without saying so. */
const PATIENCE_MS = 20_000;
/** Within one network; a phone that is elsewhere should not wait for it. */
const NEAR_MS = 1_500;

/** Whether the gateway answers at this address. Nothing of this phone is told. */
export async function answers(origin: string): Promise<boolean> {
    try {
        const response = await fetch(`${origin}/health`, { cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(NEAR_MS) });
        return response.ok && typeof ((await response.json()) as { status?: unknown }).status === "string";
    } catch {
        return false;
    }
}

/** Over REST at the address in use, and at the next if nobody answers there and the same request does no harm twice. */
export function via(ways: Ways): typeof reach {
    return async <T>(method: Method, path: string, body?: unknown, token?: string): Promise<T> => {
        for (let left = ways.all.length; ; left--) {
            const at = ways.current;
            try {
                return await reach<T>(method, path, body, token, at === ways.own ? "" : at);
            } catch (error) {
                const problem = asProblem(error);
                // On another network another computer may have the address. Only the page's own may say that this phone is unknown.
                const stranger = problem.code === "NOT_PAIRED" && at !== ways.own;
                if (!stranger && problem.code !== "UNREACHABLE") throw error;
                ways.lost(at);
                if (left <= 1 || ways.current === at || !repeats(method, path, body)) throw stranger ? unreached() : error;
            }
        }
    };
}

/** Whether the gateway takes it once, however often it comes. */
function repeats(method: Method, path: string, body: unknown): boolean {
    return method === "GET" || path === "/api/token/refresh" || (typeof body === "object" && body !== null && "client_id" in body);
}

/** Over REST, with or without a token. `origin`: if it is not the page's own. Throws `Problem`. */
export async function reach<T>(method: Method, path: string, body?: unknown, token?: string, origin = "", patience = PATIENCE_MS): Promise<T> {
    const headers: Record<string, string> = { accept: "application/json" };
    if (body !== undefined) headers["content-type"] = "application/json";
    if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
    // A tunnel would answer a page from elsewhere with a page of its own.
    if (origin !== "") headers["ngrok-skip-browser-warning"] = "1";
    const response = await fetched(origin + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }, patience);
    const text = await response.text().catch(() => {
        throw unreached();
    });
    const parsed = parse(text);
    if (!response.ok && !isOurs(parsed) && FOREIGN.includes(response.status)) throw unreached();
    if (!response.ok) throw withRetry(problemIn(parsed, response.status), response);
    const json = response.headers.get("content-type")?.includes("json") ?? false;
    if (json && parsed === undefined && text !== "") throw new Problem("BAD_ANSWER", "The answer cannot be read.", "Reload the page.");
    return (parsed === undefined ? text : parsed) as T;
}

/** What a tunnel or a proxy says when nobody is behind it. */
const FOREIGN = [404, 502, 503, 504];

async function fetched(path: string, init: RequestInit, patience: number): Promise<Response> {
    try {
        return await fetch(path, { ...init, cache: "no-store", signal: AbortSignal.timeout(patience) });
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
    private readonly ask: typeof reach;

    constructor(
        private readonly pass: Pass,
        private readonly ways: Ways,
    ) {
        this.ask = via(ways);
    }

    online(): boolean {
        return navigator.onLine !== false;
    }

    unreached(): Problem {
        return unreached();
    }

    near(): boolean {
        return this.ways.near;
    }

    nearer(): Promise<boolean> {
        return this.ways.nearer();
    }

    addressOf({ url }: Pick<ArtifactShown, "url">): string {
        return url;
    }

    elsewhere(path: string): string | null {
        return path.startsWith("/") && this.ways.current !== this.ways.own ? this.ways.current + path : null;
    }

    async request<T>(method: Method, path: string, body?: unknown): Promise<T> {
        const token = await this.pass.access();
        try {
            return await this.ask<T>(method, path, body, token);
        } catch (error) {
            if (!(error instanceof Problem) || error.code !== "TOKEN_EXPIRED") throw error;
            this.pass.stale(token);
            return await this.ask<T>(method, path, body, await this.pass.access());
        }
    }

    subscribe(after: number | null, hears: Hears): Line {
        let socket: WebSocket | null = null;
        let over = false;
        let refused: string | null = null;
        let at = "";
        const lost = () => void (at !== "" && navigator.onLine !== false && this.ways.lost(at));
        const end = (why: Problem) => {
            if (over) return;
            over = true;
            lost();
            // A browser does not say why a line was not opened. It may be the token: the next try gets a new one, or the reason.
            if (refused !== null) this.pass.stale(refused);
            hears.closed(why);
        };
        const frame = (frame: Frame) => {
            refused = null;
            this.ways.found(at);
            if (!over) hears.frame(frame);
        };
        const begin = async () => {
            await this.ways.choose();
            const token = await this.pass.access();
            if (over) return;
            refused = token;
            // Where the token came from may not be where it was asked for first.
            at = this.ways.current;
            socket = socketTo(at, after, token, { frame, closed: end });
        };
        begin().catch((error: unknown) => end(asProblem(error)));
        return {
            send: (frame) => {
                if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
            },
            close: (dead = false) => {
                if (dead && !over) lost();
                over = true;
                socket?.close();
            },
        };
    }
}

/** The token, where one is needed, goes as a subprotocol: a browser can set no header here, and an address would be kept in logs. */
export function socketTo(origin: string, after: number | null, token: string | null, hears: Hears): WebSocket {
    const url = new URL("/ws", origin);
    url.protocol = url.protocol === "http:" ? "ws:" : "wss:";
    if (after !== null) url.searchParams.set("after", String(after));
    const socket = new WebSocket(url, ["lanyard.v1", ...(token === null ? [] : [`lanyard.bearer.${token}`])]);
    socket.onmessage = ({ data }) => {
        const frame = typeof data === "string" ? readFrame(data) : null;
        if (frame) hears.frame(frame);
    };
    socket.onclose = () => hears.closed(unreached());
    return socket;
}

/** Nothing, if it is none. */
export function readFrame(words: string): Frame | null {
    const frame = parse(words);
    return isFrame(frame) ? frame : null;
}

function isFrame(value: unknown): value is Frame {
    const frame = value as { type?: unknown; data?: unknown } | null | undefined;
    return typeof frame?.type === "string" && typeof frame.data === "object" && frame.data !== null;
}
