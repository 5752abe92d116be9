// What a tool changed in a file, as lines.

import type { JsonValue } from "./api/wire";
import { type Line, change } from "./call";

type Fields = { [key in string]: JsonValue };

export interface Patch {
    hunks: Line[][];
    came: number;
    went: number;
}

/** From the tool's own account of it; before there is one, from what it was asked to do. */
export function patchOf(tool: string, input: JsonValue, detail: JsonValue): Patch | null {
    if (!["Edit", "MultiEdit", "Write", "NotebookEdit"].includes(tool)) return null;
    const hunks = structured(detail) ?? asked(tool, input);
    if (hunks === null) return null;
    const count = (sign: string) => hunks.reduce((sum, lines) => sum + lines.filter((line) => line.sign === sign).length, 0);
    return { hunks, came: count("+"), went: count("-") };
}

/** Claude Code's `structuredPatch`: hunks whose lines begin with their sign. */
function structured(detail: JsonValue): Line[][] | null {
    const patch = fields(detail)["structuredPatch"];
    if (!Array.isArray(patch) || patch.length === 0) return null;
    return patch.map((hunk) => {
        const lines = fields(hunk)["lines"];
        return (Array.isArray(lines) ? lines : []).filter((line) => typeof line === "string" && !line.startsWith("\\")).map((line) => signed(String(line)));
    });
}

function signed(line: string): Line {
    const sign = line[0] === "+" || line[0] === "-" ? line[0] : " ";
    return { sign, text: line.slice(1) };
}

function asked(tool: string, input: JsonValue): Line[][] | null {
    const from = fields(input);
    const content = from["content"];
    if (tool === "Write" && typeof content === "string") return [content.split("\n").map((text) => ({ sign: "+", text }))];
    if (tool === "MultiEdit" && Array.isArray(from["edits"])) return from["edits"].map((edit) => change(fields(edit)));
    return typeof from["old_string"] === "string" ? [change(from)] : null;
}

export function fields(value: JsonValue | undefined): Fields {
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}
