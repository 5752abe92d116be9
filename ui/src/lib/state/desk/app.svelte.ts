// What the app around the window says: whether it starts with the computer, and what of updates. In a browser there is none.

import type { Native, NativeStatus } from "../../host/native";
import { Deed } from "./fetched.svelte";

export class AppAround {
    status = $state.raw<NativeStatus | null>(null);
    readonly deed = new Deed();

    constructor(
        readonly native: Native | null,
        private readonly go: (path: string) => void,
    ) {}

    start(): void {
        if (!this.native) return;
        this.native.listen({ status: (now) => (this.status = now), go: (path) => this.go(path) });
        void this.look();
    }

    /** In the app's case by the system's browser; a browser opens its links itself. */
    open(url: string): void {
        if (this.native) void this.deed.run("open", () => this.native?.open(url) ?? Promise.resolve());
        else window.open(url, "_blank", "noopener,noreferrer");
    }

    check = () => this.run("check", (native) => native.checkForUpdate());
    install = (when: "now" | "quit") => this.run("install", (native) => native.installUpdate(when));
    autostart = (on: boolean) => this.run("autostart", (native) => native.autostart(on));

    private async run(name: string, work: (native: Native) => Promise<void>): Promise<void> {
        const { native } = this;
        if (native) await this.deed.run(name, () => work(native));
        await this.look();
    }

    private async look(): Promise<void> {
        this.status = (await this.native?.status().catch(() => this.status)) ?? null;
    }
}
