import { expect, test } from "vitest";
import { type Asked, call } from "./call";

const approval = (tool: string, input: unknown): Asked => ({ kind: "tool", tool, input, shown: "all of it" });

test("a command is shown to the letter, with every other part of its input", () => {
    const asked = call(approval("Bash", { command: "ls  -la\n", description: "Look", timeout: 5, dangerouslyDisableSandbox: true }));
    expect(asked.body).toEqual({ kind: "text", text: "ls  -la\n" });
    expect(asked.claim).toBe("Look");
    expect(asked.rest).toEqual([["timeout", "5"], ["dangerouslyDisableSandbox", "true"]]);
});

test("an edit shows the lines that go and come, and those around them", () => {
    const asked = call(approval("Edit", { file_path: "a.js", old_string: "1\n2\n3", new_string: "1\ntwo\n3", replace_all: true }));
    const lines = asked.body.kind === "diff" ? asked.body.hunks[0]?.map((line) => line.sign + line.text) : [];
    expect(lines).toEqual([" (everywhere in the file)", " 1", "-2", "+two", " 3"]);
    expect(asked.where).toBe("a.js");
});

test("an edit that only adds or only takes loses no line", () => {
    const signs = (old_string: string, new_string: string) => {
        const body = call(approval("Edit", { file_path: "a", old_string, new_string })).body;
        return body.kind === "diff" ? body.hunks[0]?.map((line) => line.sign + line.text) : [];
    };
    expect(signs("a\na", "a\na\na")).toEqual([" a", " a", "+a"]);
    expect(signs("a\nb", "a")).toEqual([" a", "-b"]);
    expect(signs("same", "same")).toEqual([" same"]);
});

test("an input of an unusual kind is shown all the same", () => {
    expect(call(approval("Bash", { command: ["rm", "-rf"] })).rest).toEqual([["command", '["rm","-rf"]']]);
    expect(call(approval("MultiEdit", { file_path: "a", edits: 5 })).rest).toEqual([["edits", "5"]]);
    expect(call(approval("Bash", null)).body).toEqual({ kind: "text", text: "" });
});

test("a tool without a form of its own shows what the gateway shows", () => {
    const asked = call(approval("mcp__db__drop", { table: "users" }));
    expect([asked.question, asked.body]).toEqual(["May the tool mcp__db__drop run?", { kind: "text", text: "all of it" }]);
});

test("where a link leads stands before everything else", () => {
    const asked = call({ ...approval("Write", { file_path: "/workspace/notes.md", content: "x", mode: 1 }), target: "/home/agent/.bashrc" });
    expect(asked.rest).toEqual([["really", "/home/agent/.bashrc"], ["mode", "1"]]);
    expect(call({ ...approval("Write", { file_path: "a", content: "x" }), target: null }).rest).toEqual([]);
});

test("a push shows what it would change, as the gateway says it", () => {
    const shown = "push to acme/shop at git.example.com:\nmain from 1111111 to 2222222";
    const asked = call({ kind: "push", tool: null, input: { refs: [] }, shown });
    expect(asked.question).toBe("May it push to a protected branch?");
    expect(asked.body).toEqual({ kind: "text", text: shown });
});
