// A code on the screen that pairs one phone, and who took it.

import type { PairingShown, PhoneShown, Phones } from "../../api/wire";
import type { Host } from "../../host";
import { Deed, Fetched } from "./fetched.svelte";

/** Who paired shows at once. */
const EVERY_MS = 700;

export class Pair {
    readonly code: Fetched<PairingShown>;
    readonly deed = new Deed();
    /** The phone that took a code while it was looked at. */
    paired = $state.raw<PhoneShown | null>(null);
    private before: ReadonlySet<string> | null = null;
    private fresh = false;

    constructor(private readonly host: Host) {
        this.code = new Fetched(() => host.request<PairingShown>(this.fresh ? "POST" : "GET", "/pairing"));
    }

    /** Shows a code and waits for who takes it. */
    watch(): () => void {
        let over = false;
        let timer: ReturnType<typeof setTimeout>;
        const look = async () => {
            await this.look().catch(() => {});
            if (!over) timer = setTimeout(look, EVERY_MS);
        };
        void this.code.load().then(look);
        return () => {
            over = true;
            clearTimeout(timer);
        };
    }

    /** Another code; the one before is worth nothing. */
    async anew(): Promise<void> {
        this.paired = null;
        this.before = null;
        this.fresh = true;
        await this.code.anew();
        this.fresh = false;
    }

    rename = (name: string) => this.act("rename", "", { name });
    takeBack = () => this.act("take-back", "/not-me");

    private async act(name: string, path: string, body?: unknown): Promise<boolean> {
        const { paired } = this;
        if (!paired) return false;
        return this.deed.run(name, async () => {
            this.paired = await this.host.request<PhoneShown>("POST", `/phones/${paired.id}${path}`, body);
        });
    }

    private async look(): Promise<void> {
        if (this.paired) return;
        const { phones } = await this.host.request<Phones>("GET", "/phones");
        const fresh = this.before && phones.find((phone) => !this.before?.has(phone.id) && phone.revoked_at === null);
        this.before ??= new Set(phones.map((phone) => phone.id));
        if (fresh) this.paired = fresh;
        else if (this.code.value && this.code.value.expires_at < Date.now()) await this.code.load();
    }
}
