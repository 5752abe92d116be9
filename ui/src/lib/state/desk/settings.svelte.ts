// The config file as a form: what its fields are comes from the gateway, and it says what it will not take.

import type { Field, Nested, Settings as Kept } from "../../api/desk";
import type { Host } from "../../host";
import { Deed, Fetched } from "./fetched.svelte";

export class Settings {
    readonly kept: Fetched<Kept>;
    readonly deed = new Deed();
    /** What was changed and not saved, by key. */
    changed = $state.raw<ReadonlyMap<string, unknown>>(new Map());
    restartNeeded = $state(false);

    constructor(private readonly host: Host) {
        this.kept = new Fetched(async () => {
            const kept = await host.request<Kept>("GET", "/settings");
            this.restartNeeded ||= kept.restart_needed ?? false;
            return kept;
        });
    }

    /** In the order the gateway names them. */
    get sections(): { name: string; fields: Field[] }[] {
        const sections = new Map<string, Field[]>();
        for (const field of this.kept.value?.fields ?? []) sections.set(field.section, [...(sections.get(field.section) ?? []), field]);
        return [...sections].map(([name, fields]) => ({ name, fields }));
    }

    valueOf(field: Field): unknown {
        return this.changed.has(field.key) ? this.changed.get(field.key) : (at(this.kept.value?.values, field.key) ?? field.default);
    }

    isDefault(field: Field): boolean {
        return same(this.valueOf(field), field.default);
    }

    set(field: Field, value: unknown): void {
        const changed = new Map(this.changed);
        if (same(value, at(this.kept.value?.values, field.key) ?? field.default)) changed.delete(field.key);
        else changed.set(field.key, value);
        this.changed = changed;
        if (this.deed.problem) this.deed.clear();
    }

    forget(): void {
        this.changed = new Map();
        this.deed.clear();
    }

    /** All that was changed, or nothing of it. */
    async save(): Promise<boolean> {
        const patch = nested(this.changed);
        return this.deed.run("save", async () => {
            const kept = await this.host.request<Kept>("PATCH", "/settings", patch);
            this.restartNeeded = kept.restart_needed ?? this.restartNeeded;
            this.kept.value = kept;
            this.changed = new Map();
        });
    }
}

/** `spend.day` in `{spend: {day: 5}}` -> 5. */
export function at(values: Nested | undefined, key: string): unknown {
    return key.split(".").reduce<unknown>((inside, name) => (typeof inside === "object" && inside !== null ? (inside as Nested)[name] : undefined), values);
}

/** `spend.day` -> `{spend: {day: …}}`. */
export function nested(changed: ReadonlyMap<string, unknown>): Nested {
    const all: Nested = {};
    for (const [key, value] of changed) {
        const names = key.split(".");
        const last = names.pop() ?? key;
        const inside = names.reduce<Nested>((into, name) => (into[name] ??= {}) as Nested, all);
        inside[last] = value;
    }
    return all;
}

function same(a: unknown, b: unknown): boolean {
    return JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
}
