// A session's facts, told as a person reads them: words, steps taken, questions, how each turn ended.

import type { ApprovalShown, Complete, ErrorFrame, Frame, JsonValue, ModeWord, Resolved, SaidFact, ToolUse } from "./api/wire";
import type { Fact } from "./shelf";

export interface Call {
    id: string;
    tool: string;
    input: JsonValue;
    at: number;
    /** What a helper of the agent did within this call. */
    within: Call[];
    /** It waits for a yes: nothing of it runs yet. */
    asks: boolean;
    result: { ok: boolean; text: string; detail: JsonValue; pictures: string[]; at: number } | null;
}

export type Item = { key: string; seq: number; at: number } & (
    | { kind: "said"; said: SaidFact; taken: boolean }
    | { kind: "text"; text: string }
    | { kind: "steps"; calls: Call[] }
    | { kind: "asked"; approval: ApprovalShown; resolved: Resolved | null }
    | { kind: "made"; artifact: string; media_type: string; caption: string | null }
    | { kind: "ended"; end: Complete }
    | { kind: "failed"; error: ErrorFrame }
    | { kind: "note"; text: string }
    | { kind: "closed" }
);

/** How much the agent may do without asking, in words. */
export const MODES: Record<ModeWord, string> = {
    default: "Asks first",
    acceptEdits: "Edits without asking",
    plan: "Plans before it acts",
    bypassPermissions: "Never asks",
};

/** `facts`: of one session, in order. A row of steps ends where events' numbers pass a multiple of `row`: where only a part of a
 * session is held, rows are the same whichever part it is, and what is held is as tall as it is long. */
export function transcript(facts: Fact[], row = Infinity): Item[] {
    const teller = new Teller(row);
    for (const fact of facts) teller.hear(fact);
    return teller.items;
}

class Teller {
    readonly items: Item[] = [];
    private readonly calls = new Map<string, Call>();
    private readonly asked = new Map<string, Item & { kind: "asked" }>();
    private readonly said = new Map<number, Item & { kind: "said" }>();

    constructor(private readonly row: number) {}

    hear(fact: Fact): void {
        const base = { key: String(fact.seq), seq: fact.seq, at: 0 };
        switch (fact.type) {
            case "streamData":
                if (fact.data.kind === "said") this.say({ ...base, at: fact.data.at, kind: "said", said: fact.data, taken: false });
                else if (fact.data.kind === "text") this.items.push({ ...base, at: fact.data.at, kind: "text", text: fact.data.text });
                else if (fact.data.kind === "artifact") this.items.push({ ...base, ...fact.data, kind: "made" });
                break;
            case "streamToolUse":
                if (fact.data.kind === "used") this.use(base, fact.data);
                else this.finish(fact.data);
                break;
            case "permissionRequest":
                this.ask({ ...base, at: fact.data.asked_at, kind: "asked", approval: fact.data, resolved: null });
                break;
            case "permissionResolved":
                this.resolve(fact.data);
                break;
            case "streamComplete":
                this.items.push({ ...base, at: fact.data.at, kind: "ended", end: fact.data });
                break;
            case "error":
                this.items.push({ ...base, at: fact.data.at ?? 0, kind: "failed", error: fact.data });
                break;
            case "status":
                this.stand(base, fact);
                break;
            default:
        }
    }

    private say(item: Item & { kind: "said" }): void {
        this.items.push(item);
        this.said.set(item.said.message, item);
    }

    private use(base: { key: string; seq: number }, used: ToolUse & { kind: "used" }): void {
        const call: Call = { id: used.id, tool: used.tool, input: used.input, at: used.at, within: [], asks: false, result: null };
        this.calls.set(used.id, call);
        const parent = used.parent === null ? undefined : this.calls.get(used.parent);
        const last = this.items.at(-1);
        if (parent) parent.within.push(call);
        else if (last?.kind === "steps" && Math.floor(last.seq / this.row) === Math.floor(base.seq / this.row)) last.calls.push(call);
        else this.items.push({ ...base, at: used.at, kind: "steps", calls: [call] });
    }

    private finish(done: ToolUse & { kind: "finished" }): void {
        const call = this.calls.get(done.id);
        if (call) call.result = { ok: done.ok, text: done.text, detail: done.detail, pictures: done.pictures, at: done.at };
    }

    private ask(item: Item & { kind: "asked" }): void {
        this.items.push(item);
        this.asked.set(item.approval.id, item);
        const call = this.callOf(item.approval);
        if (call) call.asks = true;
    }

    /** The newest call without a result that an approval is about. */
    private callOf({ tool, input }: ApprovalShown): Call | undefined {
        const same = JSON.stringify(input);
        return [...this.calls.values()].findLast((call) => call.result === null && call.tool === tool && JSON.stringify(call.input) === same);
    }

    private resolve(resolved: Resolved): void {
        const item = this.asked.get(resolved.id);
        if (!item) return;
        item.resolved = resolved;
        const call = this.callOf(item.approval);
        if (call) call.asks = false;
    }

    private stand(base: { key: string; seq: number }, fact: Frame & { type: "status" }): void {
        const data = fact.data;
        const note = (at: number, text: string) => this.items.push({ ...base, at, kind: "note", text });
        if (data.kind === "turn_started") for (const message of data.messages) this.take(message);
        else if (data.kind === "steered") this.take(data.message);
        else if (data.kind === "notice") note(data.at, data.text);
        else if (data.kind === "mode_changed") note(data.at, `From here on: ${MODES[data.permission_mode] ?? data.permission_mode}.`);
        else if (data.kind === "closed") this.items.push({ ...base, at: data.at, kind: "closed" });
    }

    private take(message: number): void {
        const item = this.said.get(message);
        if (item) item.taken = true;
    }
}
