// A person's answers to an agent's questions, as the gateway reads them: options by number, so that no label is mistaken for
// words; with several questions one line for each.

import type { Question } from "./api/wire";

export interface Pick {
    /** Places of the options picked, from 0. */
    options: number[];
    /** Words of one's own, instead. */
    own: string;
}

export function emptyPicks(questions: Question[]): Pick[] {
    return questions.map(() => ({ options: [], own: "" }));
}

export function isWhole(picks: Pick[]): boolean {
    return picks.every((pick) => pick.options.length > 0 || pick.own.trim() !== "");
}

/** `2`, `1 3` or words; a line of its own for each question. */
export function written(picks: Pick[]): string {
    const single = picks.length === 1;
    return picks.map((pick) => (pick.own.trim() !== "" ? own(pick.own, single) : numbers(pick.options))).join("\n");
}

function numbers(options: number[]): string {
    return [...options].sort((a, b) => a - b).map((place) => place + 1).join(" ");
}

/** With several questions a line break or `;` would begin the next answer. */
function own(text: string, single: boolean): string {
    return single ? text.trim() : text.trim().replaceAll(/\s*\n\s*/g, " ").replaceAll(";", ",");
}
