// A task told as a person reads it: where it stands, what it went through, and how one is wished for.

import type { ChecksWord, MakeTask, PriorityWord, TaskShown, TaskStateWord } from "./api/wire";
import { left } from "./when";

export const SAID: Record<TaskStateWord, string> = {
    queued: "Queued",
    starting: "Starting",
    cloning: "Cloning",
    working: "Working",
    needs_you: "Needs you",
    pushing: "Pushing",
    done: "Done",
    failed: "Failed",
    cancelled: "Taken back",
};

export const CHECKS: Record<ChecksWord, string> = { none: "No checks yet", running: "Checks run", passed: "Checks passed", failed: "Checks failed" };

export const PRIORITIES: Record<PriorityWord, string> = { high: "High", normal: "Normal", low: "Low" };

/** Nothing more happens by itself. */
export function isOver(state: TaskStateWord): boolean {
    return state === "done" || state === "failed" || state === "cancelled";
}

/** It has a sandbox, or is about to. */
export function isAtWork(state: TaskStateWord): boolean {
    return !isOver(state) && state !== "queued";
}

/** It is not begun before its time. `now` is the gateway's, as all times here. */
export function isEarly(task: Pick<TaskShown, "state" | "not_before">, now: number): boolean {
    return task.state === "queued" && task.not_before > now;
}

/** One state that a task was in. */
export interface Stage {
    attempt: number;
    state: TaskStateWord;
    at: number;
    /** Milliseconds; none: it is the end. */
    lasted: number | null;
}

/** Each state lasts until the next one begins, the last until now. An end of an earlier attempt lasts for nobody. */
export function stages(task: Pick<TaskShown, "steps">, now: number): Stage[] {
    return task.steps.map((step, n) => ({ ...step, lasted: isOver(step.state) ? null : Math.max(0, (task.steps[n + 1]?.at ?? now) - step.at) }));
}

/** "in 40 min"; further away the moment itself. */
export function until(at: number, now: number): string {
    const rest = left(at, now);
    if (rest === null) return "now";
    return at - now < 3_600_000 ? `in ${rest}` : new Date(at).toLocaleString([], { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}

/** As it stands in a form. */
export interface Draft {
    repository: string;
    base: string;
    /** To work on; empty: one named after the task. */
    branch: string;
    prompt: string;
    budget: string;
    priority: PriorityWord;
    /** `2026-11-22T09:30` by the reader's own clock; empty: at once. */
    time: string;
}

export const EMPTY: Draft = { repository: "", base: "", branch: "", prompt: "", budget: "", priority: "normal", time: "" };

/** Dollars; nothing where nothing is said, and `NaN` for what is no sum. */
export function dollarsIn(words: string): number | null {
    const plain = words.trim().replace(/^\$\s*/, "").replace(",", ".");
    if (plain === "") return null;
    const sum = Number(plain);
    return sum > 0 && Number.isFinite(sum) ? sum : NaN;
}

export function isWhole(draft: Draft): boolean {
    return draft.repository.trim() !== "" && draft.prompt.trim() !== "" && !Number.isNaN(dollarsIn(draft.budget));
}

/** `skew`: the gateway's clock minus this one. */
export function wished(draft: Draft, skew = 0): MakeTask {
    const budget = dollarsIn(draft.budget);
    return {
        repository: draft.repository.trim(),
        prompt: draft.prompt.trim(),
        ...(draft.base.trim() === "" ? {} : { base: draft.base.trim() }),
        ...(draft.branch.trim() === "" ? {} : { branch: draft.branch.trim() }),
        ...(budget === null ? {} : { budget_dollars: budget }),
        ...(draft.priority === "normal" ? {} : { priority: draft.priority }),
        ...(draft.time === "" ? {} : { at: new Date(draft.time).getTime() + skew }),
    };
}

export function draftOf(make: MakeTask, skew = 0): Draft {
    return {
        repository: make.repository,
        base: make.base ?? "",
        branch: make.branch ?? "",
        prompt: make.prompt,
        budget: make.budget_dollars === undefined ? "" : String(make.budget_dollars),
        priority: make.priority ?? "normal",
        time: make.at === undefined ? "" : local(make.at - skew),
    };
}

function local(at: number): string {
    const shifted = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
    return shifted.toISOString().slice(0, 16);
}
