// A stand-in for the gateway's public door: the built page with the headers it has there, and the companion API over a
// scripted house. For tests of the page; it knows nothing of sandboxes or models.

import { readFileSync } from "node:fs";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import { extname, join, normalize } from "node:path";
import { type WebSocket, WebSocketServer } from "ws";
import type { ClientFrame, Frame, Info, MakeTask, RetryTask, Say, Start, You } from "../../../src/lib/api/wire";
import { Agent } from "./agent.ts";
import { House, Refused } from "./house.ts";

/** How long a file may be kept, as the gateway's public door says. */
const caching = (path: string) => (path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : /^\/(sw\.js|manifest|icons)/.test(path) ? "no-cache" : "no-store");
/** As the gateway's public door sends it. */
const csp = (ours: string[]) =>
    `default-src 'none'; script-src 'self'; style-src 'self'; img-src ${["'self'", ...ours].join(" ")}; font-src 'self'; ` +
    `connect-src ${["'self'", ...ours.flatMap((url) => [url, url.replace("http", "ws")])].join(" ")}; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
const WORKER_CSP = "default-src 'none'; script-src 'self'; connect-src 'self' https: http://127.0.0.1:*; base-uri 'none'; frame-ancestors 'none'";
const TYPES: Record<string, string> = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png", ".webmanifest": "application/manifest+json" };

export type Route = (request: { body: unknown; url: URL; parts: string[]; token: string | undefined }) => unknown;

export class Standin {
    private readonly sockets = new Map<WebSocket, number>();
    /** Requests that came, as `POST /api/pair`. */
    readonly asked: string[] = [];
    /** What the links in texts show, by their names. */
    readonly links = new Map<string, unknown>();
    /** Files that were sent, with their size on the way. */
    readonly sent: { path: string; bytes: number }[] = [];
    /** While set, nobody is answered. */
    dead = false;
    /** Bytes of words are lost on the way. */
    lossy = false;
    private port = 0;

    private readonly server: Server = createServer();

    protected constructor(
        private readonly dist: string,
        readonly house: House,
        readonly agent: Agent,
    ) {}

    /** The page that is served. */
    protected get page(): string {
        return "phone.html";
    }

    /** What a phone's yes needs. */
    pin: string | null = null;
    protected readonly channel: "phone" | "desktop" = "phone";

    /** Who may come in, by token. */
    protected admit(token: string | undefined): You {
        return this.house.you(this.house.caller(token));
    }

    static start(dist: string): Promise<Standin> {
        const house = new House();
        return new Standin(dist, house, new Agent(house)).listen();
    }

    /** The same house at another address. */
    another(): Promise<Standin> {
        return new Standin(this.dist, this.house, this.agent).listen();
    }

    protected async listen(): Promise<this> {
        const { server } = this;
        const ws = new WebSocketServer({ noServer: true, handleProtocols: (offered) => [...offered].find((p) => p === "lanyard.v1") ?? false });
        server.on("request", (request, response) => void this.answer(request, response));
        server.on("upgrade", (request, socket, head) => {
            const token = /lanyard\.bearer\.([^,\s]+)/.exec(request.headers["sec-websocket-protocol"] ?? "")?.[1];
            try {
                if (this.dead) throw new Error("dead");
                const you = this.admit(token);
                ws.handleUpgrade(request, socket, head, (socket) => this.live(socket, request, this.house.welcome(you)));
            } catch {
                socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n");
            }
        });
        const others = this.house.tell;
        this.house.tell = (frame) => {
            others(frame);
            this.tell(frame);
        };
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const address = server.address();
        this.port = typeof address === "object" && address ? address.port : 0;
        return this;
    }

    get url(): string {
        return `http://127.0.0.1:${this.port}`;
    }

    /** Pages that are live here. */
    get lines(): number {
        return this.sockets.size;
    }

    async stop(): Promise<void> {
        this.cut();
        this.server.closeAllConnections();
        await new Promise((resolve) => this.server.close(resolve));
    }

    /** Every line breaks, without a word. */
    cut(): void {
        for (const socket of this.sockets.keys()) socket.terminate();
    }

    revoke(): void {
        this.house.revokeAll();
        this.cut();
    }

    private tell(frame: Frame): void {
        const lost = this.lossy && frame.type === "streamData" && frame.data.kind === "partial" && frame.data.offset % 5 === 3;
        if (lost) return;
        for (const [socket, after] of this.sockets) if ((frame.seq ?? Infinity) > after) socket.send(JSON.stringify(frame));
    }

    private live(socket: WebSocket, request: IncomingMessage, welcome: Frame): void {
        const after = new URL(request.url ?? "", this.url).searchParams.get("after");
        const send = (frame: Frame) => socket.send(JSON.stringify(frame));
        send(welcome);
        const from = after === null ? this.house.last : Number(after);
        for (const fact of this.house.events) if (fact.seq > from) send(this.house.sent(fact));
        send({ type: "caughtUp", data: { last_event: this.house.last } });
        this.sockets.set(socket, from);
        socket.on("close", () => this.sockets.delete(socket));
        socket.on("message", (data) => {
            const frame = JSON.parse(String(data)) as ClientFrame;
            if (frame.type === "ping" && !this.dead) send({ type: "pong", data: { now: Date.now() } });
        });
    }

    private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
        const url = new URL(request.url ?? "/", this.url);
        if (this.dead) return void request.socket.destroy();
        const ours = [...this.house.lan, ...(this.house.tunnel ? [this.house.tunnel] : [])];
        const headers: Record<string, string> = { ...cors(request, ours), "content-security-policy": csp(ours), "x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "x-frame-options": "DENY", "cache-control": "no-store" };
        if (request.method === "OPTIONS") return void response.writeHead(204, headers).end();
        if (url.pathname === "/health") return void response.writeHead(200, { ...headers, "content-type": "application/json" }).end('{"status":"ok"}');
        if (url.pathname.startsWith("/api/") || url.pathname.startsWith("/m/")) this.asked.push(`${request.method} ${url.pathname}`);
        try {
            const picture = this.pictures.exec(url.pathname)?.[1];
            if (picture) return this.picture(picture, headers, response);
            if (!this.isApi(request, url.pathname)) return this.file(url.pathname, headers, request, response);
            const body = await bodyOf(request);
            const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
            const answer = await this.api(request.method ?? "GET", { body, url, parts: url.pathname.split("/").slice(2), token });
            if (typeof answer === "object" && answer !== null && Symbol.asyncIterator in answer) {
                response.writeHead(200, { ...headers, "content-type": "application/x-ndjson" });
                for await (const line of answer as AsyncIterable<string>) response.write(line);
                return void response.end();
            }
            response.writeHead(answer === undefined ? 204 : 200, { ...headers, "content-type": typeof answer === "string" ? "text/markdown" : "application/json" });
            response.end(answer === undefined ? undefined : typeof answer === "string" ? answer : JSON.stringify(answer));
        } catch (error) {
            const { status, code, message, suggestion, details } = error instanceof Refused ? error : new Refused(500, "INTERNAL", String(error), "Look at the log.");
            response.writeHead(status, { ...headers, "content-type": "application/json" });
            response.end(JSON.stringify({ type: "error", requestId: "req_1", data: { code, message, details: { suggestion, ...details } } }));
        }
    }

    /** Where the bytes of pictures are: here by links, without a token. */
    protected readonly pictures: RegExp = /^\/m\/(.+)$/;

    protected isApi(_request: IncomingMessage, path: string): boolean {
        return path.startsWith("/api/");
    }

    private file(path: string, headers: Record<string, string>, request: IncomingMessage, response: ServerResponse): void {
        const name = ["/", "/pair"].includes(path) || /^\/[ap]\//.test(path) ? this.page : normalize(path);
        try {
            const kind = { "content-type": TYPES[extname(name)] ?? "application/octet-stream", "cache-control": caching(path), ...(path === "/sw.js" ? { "content-security-policy": WORKER_CSP } : {}) };
            const squeezed = extname(name) !== ".png" && request.headers["accept-encoding"]?.includes("gzip");
            const whole = readFileSync(join(this.dist, name));
            const bytes = squeezed ? gzipSync(whole) : whole;
            response.writeHead(200, { ...headers, ...kind, ...(squeezed ? { "content-encoding": "gzip" } : {}) });
            response.end(bytes);
            this.sent.push({ path, bytes: bytes.length });
        } catch {
            throw new Refused(404, "NOT_FOUND", "There is nothing here.", "Check the address.");
        }
    }

    private picture(id: string, headers: Record<string, string>, response: ServerResponse): void {
        const artifact = this.house.artifacts.get(id);
        if (!artifact) throw new Refused(404, "NOT_FOUND", "There is nothing here.", "Check the address.");
        response.writeHead(200, { ...headers, "content-type": artifact.media_type });
        response.end(artifact.data);
    }

    protected async api(method: string, request: Parameters<Route>[0]): Promise<unknown> {
        const [first = "", second = "", third = ""] = request.parts;
        if (first === "pair") return this.house.pair(request.body as never);
        if (first === "link") return this.links.get(second) ?? Promise.reject(new Refused(410, "LINK_EXPIRED", "This link has run out.", "Text more for a new one."));
        if (first === "token") return this.house.refresh(request.body as never);
        this.admit(request.token);
        const route = this.routes[`${method} ${first}${second ? "/*" : ""}${third ? `/${third}` : ""}`];
        if (!route) throw new Refused(404, "NOT_FOUND", "There is nothing here.", "Check the address.");
        return route(request);
    }

    private readonly routes: Record<string, Route> = {
        "GET info": (): Info => ({
            name: "ada-desk",
            version: "0.4.0",
            features: this.house.features,
            limits: { sessions: 4, waiting: 20, turn_minutes: 60, idle_minutes: 30, frame_bytes: 1_000_000, prompt_bytes: 100_000, image_bytes: 5_000_000, images: 4, requests_per_minute: 600 },
            permission_modes: ["default", "acceptEdits", "plan"],
            models: ["sonnet", "opus"],
            agents: ["default"],
            session_states: ["cold", "starting", "idle", "working", "closed"],
        }),
        "GET sessions": () => ({ sessions: [...this.house.sessions.values()].sort((a, b) => b.last_at - a.last_at), next: null }),
        "GET sessions/*": ({ parts }) => this.session(parts[1]),
        "PATCH sessions/*": ({ parts, body }) => {
            const session = this.session(parts[1]);
            this.house.stand(session.id, body as object);
            return session;
        },
        "GET sessions/*/events": ({ parts, url }) => {
            const limit = Number(url.searchParams.get("limit") ?? 50);
            const id = this.session(parts[1]).id;
            const after = url.searchParams.get("after");
            const before = Number(url.searchParams.get("before") ?? Infinity);
            const all = this.house.of(id).filter((e) => e.seq < before && e.seq > Number(after ?? -1));
            const events = after === null ? all.slice(-limit) : all.slice(0, limit);
            return { events: events.map((e) => this.house.sent(e)), more: all.length > limit };
        },
        "GET sessions/*/artifacts": ({ parts }) => ({ artifacts: [...this.house.artifacts.values()].filter((a) => a.session === parts[1]).map(({ data: _, session: __, ...shown }) => shown) }),
        "GET sessions/*/export": ({ parts }) => `# ${this.session(parts[1]).title}\n`,
        "GET search": ({ url }) => this.search(url.searchParams.get("q") ?? ""),
        "POST stream/*": ({ parts, body }) => (parts[1] === "start" ? this.startSession(body as Start) : this.say(this.session(parts[1]).id, body as Say)),
        "POST stream/*/interrupt": ({ parts }) => this.agent.stop(this.session(parts[1]).id),
        "DELETE stream/*": ({ parts }) => {
            const { id } = this.session(parts[1]);
            this.house.fact({ type: "status", data: { kind: "closed", session_id: id, at: Date.now() } });
            this.house.stand(id, { state: "closed" });
        },
        "GET tasks": ({ url }) => this.house.tasks.page(Number(url.searchParams.get("before") ?? Infinity), Number(url.searchParams.get("limit") ?? 50)),
        "GET tasks/*": ({ parts }) => this.house.tasks.get(Number(parts[1])),
        "POST tasks": ({ body }) => this.house.tasks.make(body as MakeTask, this.channel),
        "DELETE tasks/*": ({ parts }) => this.house.tasks.cancel(Number(parts[1])),
        "POST tasks/*/retry": ({ parts, body }) => this.house.tasks.retry(Number(parts[1]), body as RetryTask),
        "GET repositories": ({ url }) => {
            if (url.searchParams.get("host") !== "github.com") throw new Refused(401, "NO_FORGE", "There is no token for this forge yet.", "Keep one: lanyard config set-key github, or as tasks.forges says.");
            return { repositories: this.house.tasks.repositories };
        },
        "GET branches": () => ({ branches: this.house.tasks.branches }),
        "POST permission/*": ({ parts, body, token }) => {
            const { decision, input_hash, pin } = body as { decision: string; input_hash: string; pin?: string };
            const approval = this.house.approvals.get(parts[1] ?? "");
            if (!approval) throw new Refused(404, "UNKNOWN_APPROVAL", "There is no such approval.", "Look at the list.");
            if (approval.state !== "open") throw new Refused(409, "APPROVAL_GONE", "This approval was answered, withdrawn or ran out before.", "Look at the session: the agent may have asked again.");
            if (approval.input_hash !== input_hash) throw new Refused(409, "APPROVAL_CHANGED", "The answer names another input than the one that is asked.", "Look at what is asked now.");
            if (this.pin !== null && decision !== "deny" && pin !== this.pin) {
                if (pin === undefined) throw new Refused(403, "PIN_NEEDED", "On a phone, allowing this needs your PIN.", "Send it with the answer, or allow it at the desk.");
                throw new Refused(403, "PIN_WRONG", "That is not your PIN.", "4 tries are left.");
            }
            const states = { allow: "allowed", deny: "denied", allow_always: "allowed_always", answer: "answered" } as const;
            this.house.settle(approval.id, states[decision as keyof typeof states], this.admit(token).name);
            this.agent.answered(approval.id);
            return approval;
        },
    };

    protected session(id: string | undefined) {
        const session = this.house.sessions.get(id ?? "");
        if (!session) throw new Refused(404, "UNKNOWN_SESSION", "There is no such session.", "lanyard sessions lists them.");
        return session;
    }

    private startSession(start: Start): unknown {
        const known = this.house.said.get(start.client_id ?? "");
        if (known) return known;
        const session = start.resume ? this.session(start.resume) : this.house.open("", { permission_mode: start.permission_mode ?? "default", model: start.model ?? null });
        if (start.resume) this.house.stand(session.id, { ...(start.permission_mode ? { permission_mode: start.permission_mode } : {}) });
        this.tell({ type: "status", data: { kind: "session", ...session } });
        const started = { session_id: session.id, number: session.number, state: session.state, last_event: this.house.last };
        if (start.client_id) this.house.said.set(start.client_id, started);
        return started;
    }

    private say(session: string, { text, client_id, images, when }: Say): unknown {
        const known = this.house.said.get(client_id);
        if (known) return { ...known, fresh: false };
        const pictures = (images ?? []).map(({ data, media_type }) => this.keep(session, Buffer.from(data, "base64"), media_type));
        const said = this.house.say(session, text, this.channel, when, pictures);
        const answer = { session_id: session, ...said, fresh: true };
        this.house.said.set(client_id, answer);
        if (this.session(session).state !== "working") void this.agent.turn(session, said.message, text);
        return answer;
    }

    /** A file that a turn made or that came with words. */
    keep(session: string, data: Buffer, media_type: string, caption: string | null = null): string {
        const id = randomUUID();
        this.house.artifacts.set(id, { id, session, data, media_type, caption, bytes: data.length, created_at: Date.now(), url: `/m/${id}`, expires_at: Date.now() + 3_600_000 });
        return id;
    }

    protected search(q: string): unknown {
        const wanted = q.toLowerCase();
        const hits = this.house.events.flatMap((event) => {
            if (event.type !== "streamData" || (event.data.kind !== "said" && event.data.kind !== "text")) return [];
            const { text, session_id, at, kind } = event.data;
            const from = text.toLowerCase().indexOf(wanted);
            if (from < 0) return [];
            const session = this.session(session_id);
            const snippet = `${text.slice(Math.max(0, from - 40), from)}\uE000${text.slice(from, from + q.length)}\uE001${text.slice(from + q.length, from + 80)}`;
            return [{ seq: event.seq, session_id, session_number: session.number, session_title: session.title, at, kind: kind === "said" ? "said" : "answered", snippet }];
        });
        return { hits };
    }
}

/** As the gateway answers a page of another address of its own. */
function cors({ headers: { origin } }: IncomingMessage, ours: string[]): Record<string, string> {
    if (origin === undefined || !ours.includes(origin)) return {};
    const headers = "authorization, content-type, ngrok-skip-browser-warning";
    return { "access-control-allow-origin": origin, "access-control-allow-methods": "GET,POST,PATCH,DELETE", "access-control-allow-headers": headers, "access-control-expose-headers": "retry-after", vary: "origin" };
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    return chunks.length === 0 ? null : JSON.parse(Buffer.concat(chunks).toString());
}
