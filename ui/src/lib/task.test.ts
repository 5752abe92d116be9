import { expect, test } from "vitest";
import { EMPTY, dollarsIn, draftOf, isEarly, isWhole, stages, until, wished } from "./task";

const full = { repository: " acme/shop ", base: "next", branch: "ada/try", prompt: "Fix it\n", budget: "2,50", priority: "high", time: "2026-11-22T09:30" } as const;

test("a wish says only what was said", () => {
    expect(wished({ ...EMPTY, repository: " acme/shop ", prompt: " Fix it " })).toEqual({ repository: "acme/shop", prompt: "Fix it" });
    expect(wished(full, 500)).toEqual({ repository: "acme/shop", prompt: "Fix it", base: "next", branch: "ada/try", budget_dollars: 2.5, priority: "high", at: new Date(2026, 10, 22, 9, 30).getTime() + 500 });
});

test("what was wished for stands in the form again as it was written", () => {
    expect(draftOf(wished(full, 500), 500)).toEqual({ ...full, repository: "acme/shop", prompt: "Fix it", budget: "2.5" });
    expect(draftOf({ repository: "a/b", prompt: "x" })).toEqual({ ...EMPTY, repository: "a/b", prompt: "x" });
});

test("a sum is a sum, nothing, or a mistake", () => {
    expect(["", "3", "$ 0.5", "1,25", "0", "-1", "much"].map(dollarsIn)).toEqual([null, 3, 0.5, 1.25, NaN, NaN, NaN]);
    expect(isWhole({ ...full, budget: "much" })).toBe(false);
    expect(isWhole({ ...full, prompt: "  " })).toBe(false);
    expect(isWhole(full)).toBe(true);
});

test("each part lasts until the next begins, the last until now, and an end does not last", () => {
    const steps = [{ attempt: 1, state: "queued", at: 0 }, { attempt: 1, state: "failed", at: 10 }, { attempt: 2, state: "queued", at: 50 }, { attempt: 2, state: "working", at: 60 }] as const;
    expect(stages({ steps: [...steps] }, 100).map(({ lasted }) => lasted)).toEqual([10, null, 10, 40]);
});

test("a task before its time says when it begins", () => {
    const now = new Date(2026, 10, 22, 9, 0).getTime();
    expect(isEarly({ state: "queued", not_before: now + 1 }, now)).toBe(true);
    expect(isEarly({ state: "working", not_before: now + 1 }, now)).toBe(false);
    expect(until(now + 40 * 60_000, now)).toBe("in 40 min");
    expect(until(now + 20 * 3_600_000, now)).toMatch(/23/);
});
