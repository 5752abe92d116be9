// The live line to the gateway: it breaks, it comes back, and nothing that happened meanwhile is missed. A durable frame
// carries a number; the line is taken up after the last one, and one that comes twice is heard once.

import type { ClientFrame, Frame, Welcome } from "../api/wire";
import type { Host, Line } from "../host";
import { Problem } from "../problem";
import { isFact } from "../shelf";

/** `behind`: the line stands, and what was missed is still coming. */
export type Standing = "offline" | "connecting" | "behind" | "live";

export interface Listener {
    welcome(welcome: Welcome): void;
    /** Every frame once; durable ones in order. */
    frame(frame: Frame): void;
    caughtUp(): void;
    /** The gateway's history is another than the one this phone knows. */
    anew(): Promise<void>;
    shutOut(problem: Problem): void;
    /** The page is older than the gateway. */
    outdated(): void;
}

const PROTOCOL = 1;
const PING_MS = 25_000;
/** An answer to a ping takes a round trip; past this the line is dead, whatever the browser believes. */
const PONG_MS = 8_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** A welcome that takes longer than this is not coming. */
const WELCOME_MS = 15_000;

export class Connection {
    standing = $state<Standing>("connecting");
    /** Why the line is down, once it has been tried. */
    trouble = $state.raw<Problem | null>(null);
    /** Gateway's clock minus phone's. */
    skew = $state(0);
    /** Over the computer's own network. */
    near = $state(false);
    cursor: number | null = null;

    private line: Line | null = null;
    private running = false;
    private failures = 0;
    private wait: ReturnType<typeof setTimeout> | undefined;
    private heart: ReturnType<typeof setInterval> | undefined;
    private deadline: ReturnType<typeof setTimeout> | undefined;
    private unwatch = () => {};

    constructor(
        private readonly host: Host,
        private readonly listener: Listener,
        private readonly random: () => number = Math.random,
    ) {}

    get live(): boolean {
        return this.standing === "live" || this.standing === "behind";
    }

    /** Why there is nothing to be had from the gateway now; none while it is still being tried for the first time. */
    get failure(): Problem | null {
        if (this.live) return null;
        return this.trouble ?? (this.standing === "offline" ? this.host.unreached() : null);
    }

    start(cursor: number | null): void {
        if (this.running) return;
        this.running = true;
        this.cursor = cursor;
        this.unwatch = this.watch();
        this.connect();
    }

    stop(): void {
        this.running = false;
        this.unwatch();
        this.drop();
        clearTimeout(this.wait);
    }

    /** At once, for a person who asks for it. */
    again(): void {
        if (!this.running || this.live) return;
        this.failures = 0;
        this.connect();
    }

    send(frame: ClientFrame): void {
        this.line?.send(frame);
    }

    private connect(): void {
        clearTimeout(this.wait);
        this.drop();
        if (!this.host.online()) {
            this.standing = "offline";
            return;
        }
        this.standing = "connecting";
        this.deadline = setTimeout(() => this.broken(this.host.unreached()), WELCOME_MS);
        const line: Line = this.host.subscribe(this.cursor, {
            frame: (frame) => void (this.line === line && this.hear(frame)),
            closed: (why) => void (this.line === line && this.broken(why)),
        });
        this.line = line;
    }

    private hear(frame: Frame): void {
        clearTimeout(this.deadline);
        if (frame.type === "welcome") return this.greet(frame.data);
        if (frame.type === "caughtUp") {
            this.standing = "live";
            this.reach(frame.data.last_event);
            this.listener.caughtUp();
            return void this.approach();
        }
        if (isFact(frame)) {
            if (this.cursor !== null && frame.seq <= this.cursor) return;
            this.cursor = frame.seq;
        } else if (frame.type === "error" && !frame.requestId) {
            this.trouble = new Problem(frame.data.code, frame.data.message, frame.data.details.suggestion);
            if (this.trouble.shutOut) return this.end(this.trouble);
        }
        this.listener.frame(frame);
    }

    private greet(welcome: Welcome): void {
        if (welcome.protocol !== PROTOCOL) return this.listener.outdated();
        if (this.cursor !== null && this.cursor > welcome.last_event) return this.anew();
        // Without a cursor the line goes on from here: what is older is asked for when it is looked at.
        this.cursor ??= welcome.last_event;
        this.failures = 0;
        this.trouble = null;
        this.skew = welcome.now - Date.now();
        this.standing = "behind";
        this.near = this.host.near();
        this.heart = setInterval(() => this.beat(), PING_MS);
        this.listener.welcome(welcome);
        this.say();
    }

    private anew(): void {
        this.drop();
        this.cursor = null;
        void this.listener.anew().then(() => this.running && this.connect());
    }

    private beat(): void {
        this.ping(PONG_MS);
        void this.approach();
    }

    /** The phone may have come home: the line goes on by the nearer address, after the last event. */
    private async approach(): Promise<void> {
        const line = this.line;
        const nearer = await this.host.nearer();
        if (nearer && this.line === line && this.standing === "live") this.connect();
    }

    private reach(seq: number): void {
        if (this.cursor === null || seq > this.cursor) this.cursor = seq;
    }

    private broken(why: Problem): void {
        this.drop(true);
        if (why.shutOut) return this.end(why);
        this.trouble = why;
        this.standing = !this.host.online() ? "offline" : "connecting";
        const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.failures++);
        const wait = Math.max((why.retryAfter ?? 0) * 1000, longest * (0.5 + this.random() / 2));
        if (this.running && document.visibilityState === "visible") this.wait = setTimeout(() => this.connect(), wait);
    }

    private end(problem: Problem): void {
        this.stop();
        this.standing = "offline";
        this.listener.shutOut(problem);
    }

    private drop(dead = false): void {
        clearInterval(this.heart);
        clearTimeout(this.deadline);
        const line = this.line;
        this.line = null;
        line?.close(dead);
    }

    private ping(patience: number): void {
        if (!this.line) return;
        this.send({ type: "ping", data: {} });
        clearTimeout(this.deadline);
        this.deadline = setTimeout(() => this.broken(this.host.unreached()), patience);
    }

    private say(): void {
        this.send({ type: "presence", data: { visible: document.visibilityState === "visible" } });
    }

    /** A phone sleeps and changes networks: when it is looked at again, the line is tried and not trusted. */
    private watch(): () => void {
        const on = () => this.again();
        const off = () => void (this.host.online() || this.broken(this.host.unreached()));
        const seen = () => {
            if (this.live) {
                this.say();
                if (document.visibilityState !== "visible") return;
                this.ping(PONG_MS / 2);
                void this.approach();
            } else if (document.visibilityState === "visible") this.again();
        };
        window.addEventListener("online", on);
        window.addEventListener("offline", off);
        document.addEventListener("visibilitychange", seen);
        return () => {
            window.removeEventListener("online", on);
            window.removeEventListener("offline", off);
            document.removeEventListener("visibilitychange", seen);
        };
    }
}
