// All that the page knows, put together. What comes over the line goes to each concern; what is worth keeping is kept.

import { getContext, setContext } from "svelte";
import type { Frame, HouseStatus, ScopeWord, Welcome } from "../api/wire";
import { hitsIn } from "../hits";
import { type Host, WebHost, answers, via } from "../host";
import { Keyring } from "../keyring";
import type { Problem } from "../problem";
import { type Fact, type Picture, Shelf, isFact, sessionOf } from "../shelf";
import { ADDRESSES, type Addresses, Ways } from "../ways";
import { Approvals } from "./approvals.svelte";
import { Chat } from "./chat.svelte";
import { Connection, type Listener } from "./connection.svelte";
import { type Here, provideHere } from "./here";
import { House } from "./house.svelte";
import { Letters } from "./letters.svelte";
import { Lock } from "./lock.svelte";
import { Outbox } from "./outbox.svelte";
import { Pairing } from "./pairing.svelte";
import { Pictures } from "./pictures.svelte";
import { Push } from "./push.svelte";
import { Repositories } from "./repositories.svelte";
import { Router } from "./route.svelte";
import { Sessions } from "./sessions.svelte";
import { AppShell } from "./shell.svelte";
import { Tasks } from "./tasks.svelte";
import { Wishes } from "./wishes.svelte";

/** A phone that was away for longer does not fetch all that happened: it asks for what it looks at. */
const AWAY_MS = 7 * 24 * 60 * 60_000;
/** While catching up, facts are kept in batches of this size. */
const BATCH = 200;

export class Phone implements Listener, Here {
    readonly pairing: Pairing;
    readonly connection: Connection;
    readonly sessions: Sessions;
    readonly tasks: Tasks;
    readonly wishes: Wishes;
    readonly repositories: Repositories;
    readonly approvals: Approvals;
    readonly outbox: Outbox;
    readonly house: House;
    readonly pictures: Pictures;
    readonly push: Push;
    readonly lock: Lock;
    readonly letters = new Letters();
    readonly router = new Router();
    readonly shell = new AppShell();
    /** What is written and not said, by session. */
    readonly drafts = new Map<string, string>();
    readonly channel = "phone";
    /** The gateway speaks a newer language than this page. */
    tooOld = $state(false);

    private readonly chats = new Map<string, Chat>();
    private unkept: Fact[] = [];

    constructor(
        private readonly shelf: Shelf,
        private readonly ways = new Ways(location.origin, answers),
        keyring = new Keyring(shelf, via(ways)),
        private readonly host: Host = new WebHost(keyring, ways),
    ) {
        this.pairing = new Pairing(shelf, keyring);
        this.connection = new Connection(host, this);
        this.sessions = new Sessions(host, (words, sessions) => hitsIn(shelf, words, sessions));
        this.tasks = new Tasks(host);
        this.wishes = new Wishes(host, shelf, () => this.connection.live, (task) => this.tasks.answered(task));
        this.repositories = new Repositories(host);
        this.approvals = new Approvals(host);
        this.house = new House(host);
        this.pictures = new Pictures(host);
        this.push = new Push(host, shelf);
        this.lock = new Lock(host);
        this.outbox = new Outbox(host, shelf, () => this.connection.cursor ?? 0, (was, id) => this.moved(was, id));
    }

    /** Shows what is kept, then goes live. */
    async start(): Promise<void> {
        this.shell.start();
        document.addEventListener("visibilitychange", () => void (document.visibilityState === "hidden" && this.pairing.is === "paired" && this.rest()));
        await this.pairing.look();
        if (this.pairing.is === "paired") await this.live();
    }

    async live(): Promise<void> {
        const known = await this.shelf.note<Addresses>(ADDRESSES);
        if (known) this.ways.learn(known);
        const picture = await this.shelf.note<Picture>("picture");
        if (picture) {
            this.sessions.restore(picture.sessions);
            this.approvals.restore(picture.approvals);
            this.tasks.restore(picture.tasks ?? []);
        }
        let cursor = await this.shelf.cursor();
        if (cursor && Date.now() - cursor.at > AWAY_MS) {
            await this.shelf.forgetHistory();
            cursor = undefined;
        }
        this.connection.start(cursor?.seq ?? null);
        await Promise.all([this.outbox.restore(), this.wishes.restore()]);
    }

    chat(id: string): Chat {
        const known = this.chats.get(id);
        if (known) return known;
        const chat = new Chat(id, this.host, this.shelf);
        this.chats.set(id, chat);
        void this.keep().then(() => chat.load());
        return chat;
    }

    /** The session a person was last in, as long as nobody says that it is no more; otherwise the one last used. */
    get current(): string | null {
        const last = lastOpen();
        if (last && (this.sessions.get(last) || !this.sessions.told)) return last;
        return this.sessions.list.find((session) => session.state !== "closed")?.id ?? null;
    }

    may(scope: ScopeWord): boolean {
        return this.pairing.may(scope);
    }

    interrupt(session: string): Promise<unknown> {
        return this.host.request("POST", `/api/stream/${session}/interrupt`);
    }

    /** Changes a session that goes on. */
    resume(session: string, change: { permission_mode?: string; model?: string }): Promise<unknown> {
        return this.host.request("POST", "/api/stream/start", { resume: session, ...change });
    }

    exported(session: string): Promise<string> {
        return this.host.request<string>("GET", `/api/sessions/${session}/export?format=md`);
    }

    async forget(): Promise<void> {
        this.connection.stop();
        if (this.push.is === "on") await this.push.turnOff();
        await this.pairing.forget();
        // Nothing that was shown stays in memory either.
        location.assign("/");
    }

    welcome(welcome: Welcome): void {
        this.pairing.isNow(welcome.you);
        this.house.welcome(welcome);
        if (welcome.you.id) void this.push.belongTo(welcome.you.id).catch(() => {});
        this.learn(welcome.status);
        void this.sessions.welcome(welcome.sessions);
        void this.tasks.welcome(welcome.tasks);
        this.approvals.welcome(welcome.approvals);
        this.letters.welcome(welcome.letters);
        void this.outbox.flush();
        void this.wishes.flush();
        for (const chat of this.chats.values()) {
            chat.cut();
            if (chat.face === "failed" || chat.problem) void chat.retry();
        }
    }

    frame(frame: Frame): void {
        this.sessions.hear(frame);
        this.tasks.hear(frame);
        this.approvals.hear(frame);
        this.house.hear(frame);
        this.letters.hear(frame);
        if (frame.type === "status" && frame.data.kind === "house") this.learn(frame.data);
        this.chats.get(sessionOf(frame))?.hear(frame);
        if (!isFact(frame)) return;
        this.outbox.hear(frame);
        this.unkept.push(frame);
        if (this.connection.standing === "live" || this.unkept.length >= BATCH) void this.keep();
    }

    caughtUp(): void {
        void this.keep();
        void this.rest();
    }

    async anew(): Promise<void> {
        this.unkept = [];
        await this.shelf.forgetHistory();
        const open = [...this.chats.keys()];
        this.chats.clear();
        // What is on the screen is shown anew from the gateway.
        if (open.length > 0) location.reload();
    }

    shutOut(problem: Problem): void {
        this.chats.clear();
        void this.pairing.shutOut(problem);
    }

    outdated(): void {
        this.connection.stop();
        this.tooOld = true;
    }

    /** Kept for the next visit, which may begin where the page's own address leads nowhere. */
    private learn({ lan, tunnel }: HouseStatus): void {
        this.ways.learn({ lan, tunnel });
        void this.shelf.write(ADDRESSES, { lan, tunnel } satisfies Addresses).catch(() => {});
    }

    private async keep(): Promise<void> {
        const facts = this.unkept;
        this.unkept = [];
        // A phone whose disk is full shows what it hears and asks for it again next time.
        await this.shelf.keep(facts, this.connection.cursor).catch(() => {});
    }

    /** The picture to begin with next time, and room for it. */
    private async rest(): Promise<void> {
        if (this.sessions.face === "loading") return;
        const picture: Picture = { sessions: this.sessions.list.slice(0, 100), approvals: this.approvals.open, tasks: this.tasks.list.slice(0, 30) };
        await this.shelf.write("picture", $state.snapshot(picture)).catch(() => {});
        await this.shelf.prune(this.sessions.list.map((session) => session.id)).catch(() => {});
    }

    private moved(was: string, id: string): void {
        const { route } = this.router;
        if (route.at === "chat" && route.session === was) this.router.replace({ at: "chat", session: id, seq: null });
        remember(id);
    }
}

/** Only an id: which session to show first. */
export function remember(session: string): void {
    try {
        localStorage.setItem("lanyard.session", session);
    } catch {
        // A browser that keeps nothing shows the session last used.
    }
}

function lastOpen(): string | null {
    try {
        return localStorage.getItem("lanyard.session");
    } catch {
        return null;
    }
}

/** Under which components find the phone. */
export const PHONE = Symbol("phone");

export function providePhone(phone: Phone): Phone {
    return setContext(PHONE, provideHere(phone));
}

export function usePhone(): Phone {
    return getContext<Phone>(PHONE);
}
