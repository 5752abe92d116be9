// Where a session's pictures can be had. Their addresses run out, so they are asked for when they are looked at.

import { SvelteMap, SvelteSet } from "svelte/reactivity";
import type { ArtifactShown, Artifacts } from "../api/wire";
import type { Host } from "../host";

export class Pictures {
    private readonly known = new SvelteMap<string, ArtifactShown>();
    private readonly lost = new SvelteSet<string>();
    private readonly asking = new Map<string, Promise<void>>();

    constructor(
        private readonly host: Host,
        private readonly now: () => number = Date.now,
    ) {}

    get(id: string): ArtifactShown | undefined {
        return this.known.get(id);
    }

    /** It was asked for and cannot be had. */
    isLost(id: string): boolean {
        return this.lost.has(id);
    }

    /** Makes `get` know it, if the gateway does. */
    async want(session: string, id: string): Promise<void> {
        const known = this.known.get(id);
        if (known && known.expires_at > this.now()) return;
        await this.ask(session);
        if (this.known.has(id)) this.lost.delete(id);
        else this.lost.add(id);
    }

    /** Its address did not work: it may be had at the one in use. */
    failed(id: string): void {
        const known = this.known.get(id);
        const url = known && this.host.elsewhere(known.url);
        if (known && url) return void this.known.set(id, { ...known, url });
        this.known.delete(id);
        this.lost.add(id);
    }

    private ask(session: string): Promise<void> {
        const asking =
            this.asking.get(session) ??
            this.host
                .request<Artifacts>("GET", `/api/sessions/${session}/artifacts`)
                .then(({ artifacts }) => artifacts.forEach((artifact) => this.known.set(artifact.id, { ...artifact, url: this.host.addressOf(artifact) })))
                .catch(() => {})
                .finally(() => this.asking.delete(session));
        this.asking.set(session, asking);
        return asking;
    }
}
