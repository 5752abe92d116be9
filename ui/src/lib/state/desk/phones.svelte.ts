// Who may come in: paired phones, and tokens for scripts.

import type { Lan } from "../../api/desk";
import type { ApiToken, ApiTokenMade, ApiTokens, PhoneChange, PhoneShown, Phones as PhoneList, ScopeWord } from "../../api/wire";
import type { Host } from "../../host";
import { Deed, Fetched } from "./fetched.svelte";

/** What a phone does shows this soon: its line, its last visit. */
const EVERY_MS = 3_000;

export class Phones {
    readonly list: Fetched<PhoneShown[]>;
    readonly tokens: Fetched<ApiToken[]>;
    /** How phones reach this computer on its own network. */
    readonly lan: Fetched<Lan>;
    readonly deed = new Deed();
    /** Shown once, until it is put away. */
    made = $state.raw<ApiTokenMade | null>(null);

    constructor(private readonly host: Host) {
        this.list = new Fetched(async () => (await host.request<PhoneList>("GET", "/phones")).phones);
        this.tokens = new Fetched(async () => (await host.request<ApiTokens>("GET", "/tokens")).tokens);
        this.lan = new Fetched(() => host.request<Lan>("GET", "/lan"));
    }

    get paired(): PhoneShown[] {
        return (this.list.value ?? []).filter((phone) => phone.revoked_at === null);
    }

    get gone(): PhoneShown[] {
        return (this.list.value ?? []).filter((phone) => phone.revoked_at !== null);
    }

    watch(): () => void {
        const look = () => void (document.visibilityState === "visible" && Promise.all([this.list.load(), this.tokens.load(), this.lan.load()]));
        look();
        const timer = setInterval(look, EVERY_MS);
        return () => clearInterval(timer);
    }

    change = (id: string, change: PhoneChange) => this.act(id, `/phones/${id}`, change);
    revoke = (id: string) => this.act(id, `/phones/${id}/revoke`);
    notMe = (id: string) => this.act(id, `/phones/${id}/not-me`);
    revokeToken = (id: string) => this.act(id, `/tokens/${id}/revoke`);

    async switchLan(on: boolean): Promise<void> {
        await this.deed.run("lan", async () => {
            this.lan.put(await this.host.request<Lan>("POST", "/lan", { on }));
        });
    }

    async makeToken(name: string, scopes: ScopeWord[]): Promise<boolean> {
        const worked = await this.deed.run("token", async () => {
            this.made = await this.host.request<ApiTokenMade>("POST", "/tokens", { name, scopes });
        });
        await this.tokens.load();
        return worked;
    }

    private async act(id: string, path: string, body?: unknown): Promise<boolean> {
        const worked = await this.deed.run(id, () => this.host.request("POST", path, body));
        await Promise.all([this.list.load(), this.tokens.load()]);
        return worked;
    }
}
