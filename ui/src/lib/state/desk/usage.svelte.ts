// What was spent: by day, by session, by agent.

import type { Usage as Used, UsageBy } from "../../api/desk";
import type { Host } from "../../host";
import { Fetched } from "./fetched.svelte";

export const SPANS = { 7: "7 days", 30: "30 days", 90: "90 days" } as const;
export type Span = keyof typeof SPANS;

const DAY_MS = 24 * 60 * 60_000;

export class Usage {
    span = $state<Span>(30);
    by = $state<"session" | "agent">("session");
    readonly days: Fetched<Used>;
    readonly rows: Fetched<Used>;

    constructor(
        private readonly host: Host,
        private readonly now: () => number = Date.now,
    ) {
        this.days = new Fetched(() => this.ask("day"));
        this.rows = new Fetched(() => this.ask(this.by));
    }

    async load(): Promise<void> {
        await Promise.all([this.days.load(), this.rows.load()]);
    }

    private ask(by: UsageBy): Promise<Used> {
        const to = this.now();
        const from = new Date(to - (this.span - 1) * DAY_MS).setHours(0, 0, 0, 0);
        // The days are those of the owner's own clock.
        const tz = encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone);
        return this.host.request<Used>("GET", `/usage?from=${from}&to=${to}&by=${by}&tz=${tz}`);
    }
}
