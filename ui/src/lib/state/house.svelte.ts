// The computer at the other end: what it is, what it can, how it stands.

import type { Frame, HouseStatus, Info, Welcome } from "../api/wire";
import type { Host } from "../host";

export class House {
    status = $state.raw<HouseStatus | null>(null);
    info = $state.raw<Info | null>(null);
    version = $state("");

    constructor(private readonly host: Host) {}

    get name(): string {
        return this.info?.name || "your computer";
    }

    /** Why no agent can work now, if none can. */
    readonly trouble = $derived.by(() => {
        if (this.status?.sandbox === "trouble") return this.status.sandbox_says ?? "The sandbox is in trouble.";
        if (this.status?.sandbox === "paused") return "The sandbox is paused. Words wait until it is resumed on the computer.";
        return null;
    });

    readonly preparing = $derived(this.status?.sandbox === "preparing" ? (this.status.sandbox_says ?? "The sandbox is getting ready.") : null);

    can(feature: string): boolean {
        return this.info?.features.includes(feature) ?? false;
    }

    welcome(welcome: Welcome): void {
        this.status = welcome.status;
        if (this.version !== welcome.version || this.info === null) void this.ask();
        this.version = welcome.version;
    }

    hear(frame: Frame): void {
        if (frame.type === "status" && frame.data.kind === "house") this.status = frame.data;
    }

    private async ask(): Promise<void> {
        // Without it the page shows less; it is asked again with the next welcome.
        this.info = await this.host.request<Info>("GET", "/api/info").catch(() => this.info);
    }
}
