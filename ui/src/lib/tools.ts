// A tool call in a few words, for the line it is folded into.

import type { JsonValue } from "./api/wire";
import { fields } from "./patch";

export type ToolIcon = "terminal" | "file" | "pencil" | "search" | "globe" | "people" | "list" | "tool";

export interface Told {
    icon: ToolIcon;
    /** "Ran", "Edited". */
    did: string;
    /** "Running", "Editing". */
    doing: string;
    /** The command, the file, the address. */
    what: string;
    /** `what` is to be read to the letter. */
    exact: boolean;
}

type Form = [icon: ToolIcon, did: string, doing: string, field: string, exact?: boolean];

const FORMS: Record<string, Form> = {
    Bash: ["terminal", "Ran", "Running", "command", true],
    BashOutput: ["terminal", "Looked at a running command", "Looking at a running command", ""],
    KillShell: ["terminal", "Ended a command", "Ending a command", ""],
    Read: ["file", "Read", "Reading", "file_path", true],
    Write: ["pencil", "Wrote", "Writing", "file_path", true],
    Edit: ["pencil", "Edited", "Editing", "file_path", true],
    MultiEdit: ["pencil", "Edited", "Editing", "file_path", true],
    NotebookEdit: ["pencil", "Edited", "Editing", "notebook_path", true],
    Grep: ["search", "Searched for", "Searching for", "pattern", true],
    Glob: ["search", "Looked for", "Looking for", "pattern", true],
    LS: ["search", "Listed", "Listing", "path", true],
    WebFetch: ["globe", "Read", "Reading", "url", true],
    WebSearch: ["globe", "Searched the web for", "Searching the web for", "query"],
    Task: ["people", "Asked a helper", "A helper is at it", "description"],
    Agent: ["people", "Asked a helper", "A helper is at it", "description"],
    TodoWrite: ["list", "Updated its list", "Updating its list", ""],
    Skill: ["tool", "Used a skill", "Using a skill", "skill"],
};

/** Where the agent works; not worth repeating in every line. */
const WORKSPACE = "/workspace/";

export function told(tool: string, input: JsonValue): Told {
    const from = fields(input);
    const form = FORMS[tool];
    if (!form) return { icon: "tool", did: "Used", doing: "Using", what: toolName(tool), exact: false };
    const [icon, did, doing, field, exact = false] = form;
    const value = from[field];
    const what = tool === "TodoWrite" ? todos(from["todos"]) : typeof value === "string" ? firstLine(value) : "";
    return { icon, did, doing, what: what.startsWith(WORKSPACE) ? what.slice(WORKSPACE.length) : what, exact };
}

/** `mcp__github__create_issue` -> "create issue (github)". */
export function toolName(tool: string): string {
    const [, server, name] = /^mcp__(.+?)__(.+)$/.exec(tool) ?? [];
    return server && name ? `${name.replaceAll("_", " ")} (${server})` : tool;
}

function firstLine(text: string): string {
    const line = text.trim().split("\n", 1)[0] ?? "";
    return text.trim().includes("\n") ? `${line} …` : line;
}

export interface Todo {
    text: string;
    state: string;
}

export function todoList(value: JsonValue | undefined): Todo[] {
    return (Array.isArray(value) ? value : []).map(fields).map(({ content, status }) => ({ text: String(content ?? ""), state: String(status ?? "pending") }));
}

function todos(value: JsonValue | undefined): string {
    const all = todoList(value);
    return all.length === 0 ? "" : `${all.filter((todo) => todo.state === "completed").length} of ${all.length} done`;
}
