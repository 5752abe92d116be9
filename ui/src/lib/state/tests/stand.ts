// What the tests of the state classes stand on: a gateway in memory whose line can be cut anywhere.

import type { Frame, TaskShown, Welcome } from "../../api/wire";
import type { Hears, Host, Line, Method } from "../../host";
import { Problem } from "../../problem";
import { Shelf } from "../../shelf";

export const cutOff = () => new Problem("UNREACHABLE", "Your computer does not answer.", "Try again.");

type Answer = (body: unknown, path: string) => unknown;

export class FakeHost implements Host {
    readonly events: (Frame & { seq: number })[] = [];
    readonly asked: { method: Method; path: string; body: unknown }[] = [];
    readonly sent: Frame["type"][] = [];
    /** `POST /api/stream` by method and the path's beginning. */
    answers: Record<string, Answer> = {};
    lines: { hears: Hears; after: number | null; open: boolean }[] = [];
    down = false;
    isNear = false;
    couldBeNear = false;
    welcome: Partial<Welcome> = {};

    async request<T>(method: Method, path: string, body?: unknown): Promise<T> {
        this.asked.push({ method, path, body });
        if (this.down) throw cutOff();
        const key = Object.keys(this.answers).find((k) => `${method} ${path}`.startsWith(k));
        if (!key) throw new Problem("NOT_FOUND", `nothing at ${path}`, "");
        return (await this.answers[key]?.(body, path)) as T;
    }

    subscribe(after: number | null, hears: Hears): Line {
        const line = { hears, after, open: true };
        this.lines.push(line);
        return { send: (frame) => void this.sent.push(frame.type as never), close: () => void (line.open = false) };
    }

    online = () => navigator.onLine;
    unreached = cutOff;
    near = () => this.isNear;
    nearer = async () => this.couldBeNear && !this.isNear;
    addressOf = ({ url }: { url: string }) => url;
    elsewhere = (path: string) => (this.isNear && path.startsWith("/") ? `https://near${path}` : null);

    get line() {
        const line = this.lines.at(-1);
        if (!line) throw new Error("nobody subscribed");
        return line;
    }

    /** What a gateway says first. */
    greet(): void {
        const { hears } = this.line;
        const last = this.events.at(-1)?.seq ?? 0;
        const you = { kind: "phone" as const, id: "p", name: "Phone", scopes: [] };
        const status = { sandbox: "ready", sandbox_says: null, tunnel: null, tunnel_state: "off", tunnel_says: null, lan: [], sessions: { active: 0, max: 4 } };
        hears.frame({ type: "welcome", data: { protocol: 1, version: "1", now: Date.now(), you, status, sessions: [], approvals: [], tasks: [], last_event: last, letters: [], ...this.welcome } });
    }

    cut(): void {
        const { line } = this;
        if (!line.open) return;
        line.open = false;
        line.hears.closed(cutOff());
    }
}

export function said(seq: number, text: string, session_id = "s"): Frame & { seq: number } {
    return { seq, type: "streamData", data: { kind: "said", session_id, at: seq, message: seq, channel: "phone", text, pictures: [], when: "queue" } };
}

export function task(id: number, change: Partial<TaskShown> = {}): TaskShown {
    const at = 1_000 * id;
    return {
        id, repository: "acme/shop", prompt: `Do ${id}`, base: null, branch: `lanyard/${id}`, priority: "normal", budget_dollars: null, channel: "phone", made_at: at, not_before: at, attempt: 1, state: "queued", state_at: at,
        session_id: null, session_number: null, doing: null, cost_dollars: 0, tokens: { input: 0, output: 0, cache_write: 0, cache_read: 0 }, steps: [{ attempt: 1, state: "queued", at }],
        result: { base: null, head: null, commits: 0, files: 0, added: 0, removed: 0, summary: null, tests: null, pushed: false, request: null }, error: null, kept_until: null, ...change,
    };
}

let shelves = 0;

/** A phone's disk of its own. */
export function shelf(): Promise<Shelf> {
    return Shelf.open(`test-${shelves++}`);
}

/** Lets everything that can happen now happen. */
export async function settle(): Promise<void> {
    for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
}

/** Waits for a fact, not for a time. */
export async function until(holds: () => boolean): Promise<void> {
    const deadline = Date.now() + 5_000;
    while (!holds()) {
        if (Date.now() > deadline) throw new Error(`never: ${holds}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
    }
}
