// The config file as a form: what its fields are comes from the gateway, and it says what it will not take.

import type { Field, Settings as Kept, Value } from "../../api/desk";
import type { Host } from "../../host";
import { Deed, Fetched } from "./fetched.svelte";

export class Settings {
    readonly kept: Fetched<Kept>;
    readonly deed = new Deed();
    /** What was changed and not saved, by key. */
    changed = $state.raw<ReadonlyMap<string, Value>>(new Map());
    restartNeeded = $state(false);

    constructor(private readonly host: Host) {
        this.kept = new Fetched(async () => {
            const kept = await host.request<Kept>("GET", "/settings");
            this.restartNeeded = kept.restart_needed;
            return kept;
        });
    }

    /** In the order the gateway names them. */
    get sections(): { name: string; fields: Field[] }[] {
        const sections = new Map<string, Field[]>();
        for (const field of this.kept.value?.fields ?? []) sections.set(field.section, [...(sections.get(field.section) ?? []), field]);
        return [...sections].map(([name, fields]) => ({ name, fields }));
    }

    valueOf(field: Field): Value {
        return this.changed.get(field.key) ?? at(this.kept.value?.values, field.key) ?? field.default;
    }

    isDefault(field: Field): boolean {
        return same(this.valueOf(field), field.default);
    }

    set(field: Field, value: Value): void {
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
            this.restartNeeded = kept.restart_needed;
            this.kept.put(kept);
            this.changed = new Map();
        });
    }
}

/** `spend.day` in `{spend: {day: 5}}` -> 5. */
export function at(values: Kept["values"] | undefined, key: string): Value | undefined {
    const [table = "", name = ""] = key.split(/\.(.*)/s);
    return values?.[table]?.[name];
}

/** `spend.day` -> `{spend: {day: …}}`. */
export function nested(changed: ReadonlyMap<string, Value>): Kept["values"] {
    const all: Kept["values"] = {};
    for (const [key, value] of changed) {
        const [table = "", name = ""] = key.split(/\.(.*)/s);
        (all[table] ??= {})[name] = value;
    }
    return all;
}

function same(a: Value, b: Value): boolean {
    return JSON.stringify(a) === JSON.stringify(b);
}
