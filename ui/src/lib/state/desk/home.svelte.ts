// How everything on this computer stands, and what can be mended from here.

import type { Finding, Home as Standing, LockShown } from "../../api/desk";
import type { DeskReach } from "../../host/desk";
import { Deed, Fetched } from "./fetched.svelte";

/** The gateway answers it from memory, in milliseconds. */
const EVERY_MS = 4_000;
const BUILDING_MS = 1_000;

export class Home {
    readonly now: Fetched<Standing>;
    readonly findings: Fetched<Finding[]>;
    readonly deed = new Deed();
    /** What was shut when everything was. */
    locked = $state.raw<LockShown | null>(null);
    /** What a mend came to, by what it was about. */
    mended = $state.raw<ReadonlyMap<string, Finding>>(new Map());

    constructor(private readonly host: DeskReach) {
        this.now = new Fetched(() => host.request<Standing>("GET", "/home"));
        this.findings = new Fetched(() => host.request<Finding[]>("GET", "/doctor"));
    }

    /** Looks again and again, while somebody looks. */
    watch(): () => void {
        let timer: ReturnType<typeof setTimeout>;
        const look = async () => {
            if (document.visibilityState === "visible") await this.now.load();
            timer = setTimeout(look, this.now.value?.sandbox.image.state === "building" ? BUILDING_MS : EVERY_MS);
        };
        void look();
        return () => clearTimeout(timer);
    }

    examine(): Promise<void> {
        this.mended = new Map();
        return this.findings.load();
    }

    async mend(finding: Finding): Promise<void> {
        const { fix } = finding;
        if (!fix) return;
        await this.deed.run(finding.what, async () => {
            const now = await this.host.request<Finding | null>("POST", `/mend/${fix}`);
            // A mend may answer for what it mended, such as the tunnel for the address: it is still this row.
            if (now?.what) this.mended = new Map(this.mended).set(finding.what, { ...now, what: finding.what });
        });
        await this.now.load();
    }

    pause = () => this.act("pause", "/sandbox/pause");
    resume = () => this.act("resume", "/sandbox/resume");
    tunnel = (on: boolean) => this.act("tunnel", "/tunnel", { on });
    build = (rebuild = false) => this.act("image", "/image/build", { rebuild });
    restart = (force = false) => this.act("restart", "/restart", { force });

    async lock(): Promise<boolean> {
        const worked = await this.deed.run("lock", async () => {
            this.locked = await this.host.request<LockShown>("POST", "/lock");
        });
        await this.now.load();
        return worked;
    }

    unlock = () => this.act("unlock", "/unlock");

    private async act(name: string, path: string, body?: unknown): Promise<boolean> {
        const worked = await this.deed.run(name, () => this.host.request("POST", path, body));
        await this.now.load();
        return worked;
    }
}
