// What was spent: by day, by session, by agent.

import type { Usage as Used, UsageBy, UsageRow } from "../../api/desk";
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

    /** A bar for each day, also for those on which nothing was spent. */
    get everyDay(): UsageRow[] {
        const known = new Map((this.days.value?.rows ?? []).map((row) => [row.key, row]));
        return daysUpTo(this.now(), this.span).map((key) => known.get(key) ?? { ...NOTHING, key, label: key });
    }

    private ask(by: UsageBy): Promise<Used> {
        const to = this.now();
        const from = new Date(to - (this.span - 1) * DAY_MS).setHours(0, 0, 0, 0);
        // Minutes to add to UTC for the owner's own clock.
        const tz_offset_minutes = -new Date(to).getTimezoneOffset();
        return this.host.request<Used>("GET", `/usage?from=${from}&to=${to}&by=${by}&tz_offset_minutes=${tz_offset_minutes}`);
    }
}

const NOTHING = { dollars: 0, tokens_in: 0, tokens_out: 0, tokens_cache_read: 0, tokens_cache_write: 0, responses: 0, turns: 0, time_ms: 0 };

/** `2026-11-21` and those before it, oldest first, by the owner's own clock. */
export function daysUpTo(now: number, count: number): string[] {
    const today = new Date(now);
    return Array.from({ length: count }, (_, back) => {
        const day = new Date(today.getFullYear(), today.getMonth(), today.getDate() - (count - 1 - back));
        const two = (n: number) => String(n).padStart(2, "0");
        return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
    });
}
