// What the sandbox may reach by the owner's answers, each until it is taken back, and where packages come from. Rules of the config
// are among the settings.

import type { Hosts as List } from "../../api/desk";
import type { Host } from "../../host";
import { Deed, Fetched } from "./fetched.svelte";

export class Hosts {
    readonly list: Fetched<List>;
    readonly deed = new Deed();

    constructor(private readonly host: Host) {
        this.list = new Fetched(() => host.request<List>("GET", "/hosts"));
    }

    /** In every session: `example.com` or `example.com:22`. */
    allow(name: string): Promise<boolean> {
        return this.act("allow", "/hosts", { host: name.trim() });
    }

    async takeBack(id: number): Promise<boolean> {
        const worked = await this.act(`forget-${id}`, `/hosts/${id}/forget`);
        // It may have been taken back elsewhere.
        if (!worked) await this.list.load();
        return worked;
    }

    private act(name: string, path: string, body?: unknown): Promise<boolean> {
        return this.deed.run(name, async () => this.list.put(await this.host.request<List>("POST", path, body)));
    }
}
