// The audit, looked through when the owner says so: every row is read for it.

import type { AuditShown } from "../../api/desk";
import type { Host } from "../../host";
import { Fetched } from "./fetched.svelte";

/** What a look found, and when. */
export interface Looked extends AuditShown {
    at: number;
}

export class Audit {
    readonly looked: Fetched<Looked>;

    constructor(host: Host) {
        this.looked = new Fetched(async () => ({ ...(await host.request<AuditShown>("POST", "/audit/verify")), at: Date.now() }));
    }
}
