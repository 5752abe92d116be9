// All that the window knows, put together. What comes over the line goes to each concern.

import { getContext, setContext } from "svelte";
import type { Frame, ScopeWord, Welcome } from "../../api/wire";
import { DeskHost, type DeskReach } from "../../host/desk";
import type { Problem } from "../../problem";
import { sessionOf } from "../../shelf";
import { Approvals } from "../approvals.svelte";
import { Connection, type Listener } from "../connection.svelte";
import { type Here, provideHere } from "../here";
import { House } from "../house.svelte";
import { Letters } from "../letters.svelte";
import { Outbox } from "../outbox.svelte";
import { Pictures } from "../pictures.svelte";
import { Repositories } from "../repositories.svelte";
import { Sessions } from "../sessions.svelte";
import { Tasks } from "../tasks.svelte";
import { Wishes } from "../wishes.svelte";
import { Activity } from "./activity.svelte";
import { AppAround } from "./app.svelte";
import { Audit } from "./audit.svelte";
import { KeptDrafts } from "./drafts";
import { Home } from "./home.svelte";
import { Hosts } from "./hosts.svelte";
import { Imports } from "./imports.svelte";
import { Listing } from "./listing.svelte";
import { Looks } from "./look.svelte";
import { Pair } from "./pair.svelte";
import { Phones } from "./phones.svelte";
import { Places } from "./place.svelte";
import { Rules } from "./rules.svelte";
import { Settings } from "./settings.svelte";
import { Setup } from "./setup.svelte";
import { Thread } from "./thread.svelte";
import { Usage } from "./usage.svelte";

export class Desk implements Listener, Here {
    readonly connection: Connection;
    readonly sessions: Sessions;
    readonly tasks: Tasks;
    readonly wishes: Wishes;
    readonly repositories: Repositories;
    readonly approvals: Approvals;
    readonly outbox: Outbox;
    readonly house: House;
    readonly pictures: Pictures;
    readonly home: Home;
    readonly listing: Listing;
    readonly app: AppAround;
    readonly activity: Activity;
    readonly audit: Audit;
    readonly hosts: Hosts;
    readonly imports: Imports;
    readonly pair: Pair;
    readonly phones: Phones;
    readonly rules: Rules;
    readonly settings: Settings;
    readonly setup: Setup;
    readonly usage: Usage;
    readonly places = new Places();
    readonly looks = new Looks();
    readonly letters = new Letters();
    readonly drafts = new KeptDrafts();
    readonly channel = "desktop";
    /** How often the gateway has greeted: what is on the screen is asked for anew with each. */
    greeted = $state(0);
    /** The session that is read. */
    thread = $state.raw<Thread | null>(null);
    /** The gateway speaks a newer language than this page. */
    tooOld = $state(false);

    constructor(readonly host: DeskReach = new DeskHost()) {
        this.connection = new Connection(host, this);
        this.sessions = new Sessions(host);
        this.tasks = new Tasks(host);
        this.wishes = new Wishes(host, IN_MEMORY, () => this.connection.live, (task) => this.tasks.answered(task));
        this.repositories = new Repositories(host);
        this.approvals = new Approvals(host);
        this.house = new House(host);
        this.pictures = new Pictures(host);
        this.home = new Home(host);
        this.listing = new Listing(host);
        this.activity = new Activity(host);
        this.audit = new Audit(host);
        this.hosts = new Hosts(host);
        this.imports = new Imports(host);
        this.pair = new Pair(host);
        this.phones = new Phones(host);
        this.rules = new Rules(host);
        this.settings = new Settings(host);
        this.setup = new Setup(host);
        this.usage = new Usage(host);
        this.app = new AppAround(host.native, (path) => this.places.go(path));
        this.outbox = new Outbox(host, IN_MEMORY, () => this.connection.cursor ?? 0, (was, id) => this.moved(was, id));
    }

    start(): () => void {
        this.looks.apply();
        this.app.start();
        this.connection.start(null);
        const unwatch = [this.places.start(), this.home.watch()];
        return () => {
            this.connection.stop();
            for (const stop of unwatch) stop();
        };
    }

    /** The owner sits here: there is nothing that may not be done. */
    may(_scope: ScopeWord): boolean {
        return true;
    }

    /** One session at a time is held: a long one is much to hold. */
    read(id: string): Thread {
        if (this.thread?.id !== id) this.thread = new Thread(id, this.host);
        return this.thread;
    }

    interrupt(session: string): Promise<unknown> {
        return this.host.request("POST", `/api/stream/${session}/interrupt`);
    }

    /** Changes a session that goes on. */
    resume(session: string, change: { permission_mode?: string; model?: string }): Promise<unknown> {
        return this.host.request("POST", "/api/stream/start", { resume: session, ...change });
    }

    welcome(welcome: Welcome): void {
        this.house.welcome(welcome);
        void this.sessions.welcome(welcome.sessions);
        void this.tasks.welcome(welcome.tasks);
        this.approvals.welcome(welcome.approvals);
        this.letters.welcome(welcome.letters);
        void this.outbox.flush();
        void this.wishes.flush();
        void this.thread?.again();
        this.greeted++;
    }

    frame(frame: Frame): void {
        this.sessions.hear(frame);
        this.tasks.hear(frame);
        this.listing.hear(frame);
        this.approvals.hear(frame);
        this.house.hear(frame);
        this.letters.hear(frame);
        if (this.thread?.id === sessionOf(frame)) this.thread.hear(frame);
        this.outbox.hear(frame);
    }

    caughtUp(): void {}

    async anew(): Promise<void> {
        location.reload();
    }

    /** Nobody shuts the owner out of their own computer; it is said as any other trouble. */
    shutOut(_problem: Problem): void {}

    outdated(): void {
        this.connection.stop();
        this.tooOld = true;
    }

    private moved(was: string, id: string): void {
        const { place } = this.places;
        if (place.screen === "sessions" && place.id === was) this.places.replace(`/sessions/${id}`);
    }
}

/** The gateway is in the same computer: what is said waits here only while it starts again. */
const IN_MEMORY = { outbox: async () => [], putUnsent: async () => {}, dropUnsent: async () => {}, wishes: async () => [], putWish: async () => {}, dropWish: async () => {} };

/** Under which components find the desk. */
export const DESK = Symbol("desk");

export function provideDesk(desk: Desk): Desk {
    return setContext(DESK, provideHere(desk));
}

export function useDesk(): Desk {
    return getContext<Desk>(DESK);
}
