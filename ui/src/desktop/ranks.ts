// Who used the most, the longest bar first, and what all others used together: what a plot of ranks shows.

import type { UsageRow } from "../lib/api/desk";

export interface Rank {
    /** The row's key; `OTHERS` for what is summed up, which no id is. */
    key: string;
    label: string;
    values: number[];
}

export const OTHERS = "others:";
/** Bars that are taken in at a glance. */
const MOST = 8;
/** Sums of dollars are not exact. */
const NOTHING = 1e-6;

const sum = (values: number[]) => values.reduce((all, value) => all + value, 0);

/** The dearest rows are told one by one, but `total` has all: what is told of nobody belongs to the others too. */
export function ranks(rows: UsageRow[], total: UsageRow, parts: ((row: UsageRow) => number)[]): Rank[] {
    const read = (row: UsageRow) => parts.map((part) => part(row));
    const all = rows
        .map((row) => ({ key: row.key, label: row.label || "Without a session", values: read(row) }))
        .filter(({ values }) => sum(values) > 0)
        .sort((a, b) => sum(b.values) - sum(a.values));
    // One alone is shown by its name instead.
    const shown = all.length === MOST + 1 ? all : all.slice(0, MOST);
    const rest = read(total).map((value, part) => Math.max(0, value - sum(shown.map(({ values }) => values[part] ?? 0))));
    return sum(rest) > sum(read(total)) * NOTHING ? [...shown, { key: OTHERS, label: "All others", values: rest }] : shown;
}
