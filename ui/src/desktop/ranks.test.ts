import { expect, test } from "vitest";
import type { UsageRow } from "../lib/api/desk";
import { OTHERS, ranks } from "./ranks";

const row = (key: string, dollars: number, time_ms = 0): UsageRow => ({ key, label: key && `Session ${key}`, dollars, time_ms, tokens_in: dollars * 10, tokens_out: dollars, tokens_cache_read: 0, tokens_cache_write: 0, responses: 1, turns: 1 });
const many = (count: number) => Array.from({ length: count }, (_, n) => row(String(n), n + 1));
const total = (rows: UsageRow[], more = 0) => row("total", rows.reduce((sum, { dollars }) => sum + dollars, more), rows.reduce((sum, { time_ms }) => sum + time_ms, 0));
const money = [(of: UsageRow) => of.dollars];
const plotted = (rows: UsageRow[], all = total(rows)) => ranks(rows, all, money).map(({ key, values }) => [key, values[0]]);

test("the longest bar comes first, by what is plotted", () => {
    const rows = [row("a", 5, 1_000), row("b", 1, 9_000)];
    expect(plotted(rows)).toEqual([["a", 5], ["b", 1]]);
    expect(ranks(rows, total(rows), [(of) => of.time_ms]).map(({ key }) => key)).toEqual(["b", "a"]);
});

test("what no bar of its own shows is summed up, part by part, and nothing is lost", () => {
    const rows = many(12);
    const shown = ranks(rows, total(rows), [(of) => of.tokens_in, (of) => of.tokens_out]);
    expect(shown).toHaveLength(9);
    expect(shown.at(-1)).toEqual({ key: OTHERS, label: "All others", values: [100, 10] });
});

test("the others are the rest of the whole, also of what the gateway does not tell one by one", () => {
    const rows = many(12);
    expect(plotted(rows, total(rows, 30)).at(-1)).toEqual([OTHERS, 40]);
    expect(plotted(many(2), total(many(2), 4)).at(-1)).toEqual([OTHERS, 4]);
});

test("one that would be left alone is shown by its name", () => {
    expect(plotted(many(9)).at(-1)).toEqual(["0", 1]);
});

test("who used nothing has no bar, and sums that are not exact make no others", () => {
    const rows = [row("a", 0.1), row("b", 0.2), row("c", 0)];
    expect(plotted(rows, row("total", 0.30000000000000004))).toEqual([["b", 0.2], ["a", 0.1]]);
});

test("what belongs to no session says so", () => {
    expect(ranks([row("", 1)], row("total", 1), money)[0]?.label).toBe("Without a session");
});
