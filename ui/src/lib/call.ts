// What an approval would run, taken apart for reading. Whatever has no place of its own lands in `rest`, so that
// nothing of the input stays unseen.

import type { ApprovalKind } from "./api/wire";

export interface Line {
    sign: " " | "-" | "+";
    text: string;
}

export interface Call {
    /** The question to the owner. */
    question: string;
    /** What the body is. */
    label: string;
    /** The file or address it is about. */
    where: string | null;
    /** Exactly what would run or be written. */
    body: { kind: "text"; text: string } | { kind: "diff"; hunks: Line[][] };
    /** What the agent says it is for: its words, not a fact. */
    claim: string | null;
    /** Everything else in the input. */
    rest: [name: string, value: string][];
}

/** What is asked; of an approval, the part that says what would run. */
export interface Asked {
    kind: ApprovalKind;
    tool: string | null;
    input: unknown;
    /** Where the file that it names really is, where that is another one. */
    target?: string | null;
    /** Everything, as the gateway shows it. */
    shown: string;
}

type Input = Record<string, unknown>;

export function call(asked: Asked): Call {
    const told = named(asked);
    // Where a link leads is what is changed, whatever the link is called.
    return asked.target ? { ...told, rest: [["really", asked.target], ...told.rest] } : told;
}

function named(asked: Asked): Call {
    const input = isInput(asked.input) ? asked.input : {};
    const text = (name: string): Call["body"] => ({ kind: "text", text: word(input, name) });
    const diff = (hunks: Line[][]): Call["body"] => ({ kind: "diff", hunks });
    if (asked.kind === "question") return whole(asked, "The agent has a question", "The question");
    if (asked.kind === "plan") return whole(asked, "May it work by this plan?", "The plan");
    if (asked.kind === "rerun") return whole(asked, "A turn was interrupted. Run it again?", "What was asked");
    if (asked.kind === "spend") return whole(asked, "A spending limit is reached. May more be spent?", "What would be allowed");
    if (asked.kind === "push") return whole(asked, "May it push to a protected branch?", "What would be changed");
    if (asked.kind === "host") return host(asked, input);
    switch (asked.tool) {
        case "Bash":
            return { ...taken(input, null, ["command"]), question: "May this command run?", label: "Exactly what would run", body: text("command") };
        case "Edit":
            return { ...taken(input, "file_path", ["old_string", "new_string"]), question: "May this file change?", label: "The change", body: diff([change(input)]) };
        case "MultiEdit":
            return { ...taken(input, "file_path", ["edits"]), question: "May this file change?", label: "The changes", body: diff(edits(input)) };
        case "Write":
            return { ...taken(input, "file_path", ["content"]), question: "May this file be written?", label: "All that would be in it", body: text("content") };
        case "WebFetch":
            return { ...taken(input, "url", ["prompt"]), question: "May this address be read?", label: "To find out", body: text("prompt") };
        default:
            return whole(asked, `May the tool ${asked.tool} run?`, "Exactly what would run");
    }
}

/** The host is what is allowed; the command only explains it. */
function host(asked: Asked, input: Input): Call {
    const [name = ""] = asked.shown.replace(/^reach /, "").split("\n", 1);
    const doing = word(input, "doing");
    const told: Call = { question: "May the sandbox reach this host?", label: "The host", where: null, body: { kind: "text", text: name }, claim: null, rest: [] };
    return doing === "" ? told : { ...told, rest: [["while it runs", doing]] };
}

/** All of the input that `used`, shown as the body, does not cover. */
function taken(input: Input, where: string | null, used: string[]): Pick<Call, "where" | "claim" | "rest"> {
    const shown = [...used, "description", ...(where === null ? [] : [where])];
    // A value that is not of the usual kind is not shown in its usual place.
    const usual = (name: string, value: unknown) => typeof value === "string" || (name === "edits" && Array.isArray(value));
    const rest = Object.entries(input).filter(([name, value]) => !shown.includes(name) || !usual(name, value));
    return {
        where: where === null ? null : word(input, where),
        claim: word(input, "description") || null,
        rest: rest.map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
    };
}

function whole(asked: Asked, question: string, label: string): Call {
    return { question, label, where: null, body: { kind: "text", text: asked.shown }, claim: null, rest: [] };
}

function edits(input: Input): Line[][] {
    const list: unknown[] = Array.isArray(input["edits"]) ? input["edits"] : [];
    return list.map((edit) => (isInput(edit) ? change(edit) : [{ sign: " ", text: JSON.stringify(edit) ?? "" } as Line]));
}

/** The lines that stay around those that go and those that come. */
export function change(edit: Input): Line[] {
    const before = word(edit, "old_string").split("\n");
    const after = word(edit, "new_string").split("\n");
    let head = 0;
    while (head < Math.min(before.length, after.length) && before[head] === after[head]) head++;
    let tail = 0;
    while (tail < Math.min(before.length, after.length) - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
    const lines = (sign: Line["sign"], texts: string[]) => texts.map((text) => ({ sign, text }));
    const everywhere = edit["replace_all"] === true ? lines(" ", ["(everywhere in the file)"]) : [];
    return [
        ...everywhere,
        ...lines(" ", before.slice(0, head)),
        ...lines("-", before.slice(head, before.length - tail)),
        ...lines("+", after.slice(head, after.length - tail)),
        ...lines(" ", before.slice(before.length - tail)),
    ];
}

function isInput(value: unknown): value is Input {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

function word(input: Input, name: string): string {
    const value = input[name];
    return typeof value === "string" ? value : "";
}
