import { expect, test } from "vitest";
import type { Frame } from "./api/wire";
import type { Fact } from "./shelf";
import { approval } from "../phone/parts/tests/stand";
import { said } from "./state/tests/stand";
import { transcript } from "./transcript";

let seq = 0;
const fact = (frame: Frame) => ({ seq: ++seq, ...frame }) as Fact;
const used = (id: string, parent: string | null = null) => fact({ type: "streamToolUse", data: { kind: "used", session_id: "s", at: seq, turn: "t", id, tool: "Bash", input: { command: id }, parent } });
const finished = (id: string, ok = true) => fact({ type: "streamToolUse", data: { kind: "finished", session_id: "s", at: seq, id, ok, text: `out of ${id}`, detail: null, pictures: [] } });
const words = (text: string) => fact({ type: "streamData", data: { kind: "text", session_id: "s", at: seq, turn: "t", message: "m", text } });

test("calls in a row are one row of steps, each with its own result", () => {
    const items = transcript([used("a"), used("b"), finished("b", false), finished("a"), words("So."), used("c")]);
    expect(items.map((i) => i.kind)).toEqual(["steps", "text", "steps"]);
    const [steps] = items;
    expect(steps?.kind === "steps" && steps.calls.map((c) => [c.id, c.result?.ok, c.result?.text])).toEqual([["a", true, "out of a"], ["b", false, "out of b"]]);
});

test("a row of steps is parted at the same places, whatever part of it is held", () => {
    const facts = Array.from({ length: 50 }, (_, n) => ({ ...used(`c${n}`), seq: 101 + n }));
    const rows = (held: Fact[]) => transcript(held, 20).map((item) => [item.seq, item.kind === "steps" ? item.calls.length : 0]);
    expect(rows(facts)).toEqual([[101, 19], [120, 20], [140, 11]]);
    expect(rows(facts.slice(10))).toEqual([[111, 9], [120, 20], [140, 11]]);
    expect(transcript(facts)).toHaveLength(1);
});

test("what a helper does stands within the call that asked for it", () => {
    const [steps] = transcript([used("helper"), used("inner", "helper"), finished("inner")]);
    expect(steps?.kind === "steps" && [steps.calls.length, steps.calls[0]?.within[0]?.result?.text]).toEqual([1, "out of inner"]);
});

test("a result whose call is further back than what is here breaks nothing", () => {
    expect(transcript([finished("gone"), words("x")]).map((i) => i.kind)).toEqual(["text"]);
});

test("words wait until a turn answers them or takes them in", () => {
    const turn = fact({ type: "status", data: { kind: "turn_started", session_id: "s", at: 1, turn: "t", messages: [1] } });
    const steered = fact({ type: "status", data: { kind: "steered", session_id: "s", at: 1, turn: "t", message: 2 } });
    const items = transcript([said(1, "a"), turn, said(2, "b"), steered, said(3, "c")]);
    expect(items.map((i) => i.kind === "said" && i.taken)).toEqual([true, true, false]);
});

test("a step that waits for a yes is not said to run", () => {
    const about = { ...approval({ id: "q" }), tool: "Bash", input: { command: "a" } };
    const asked = fact({ type: "permissionRequest", data: about });
    const resolved = fact({ type: "permissionResolved", data: { id: "q", session_id: "s", at: 1, decision: "allowed", by: null, message: null } as never });
    const asks = (facts: Fact[]) => transcript(facts).flatMap((item) => (item.kind === "steps" ? item.calls.map((call) => call.asks) : []));
    expect(asks([used("a"), used("b"), asked])).toEqual([true, false]);
    expect(asks([used("a"), used("b"), asked, resolved])).toEqual([false, false]);
});
