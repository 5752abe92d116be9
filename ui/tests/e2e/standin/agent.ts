// The stand-in's agent: what it does upon which words. Everything it does takes as long as a person can follow.

import { createHash, randomUUID } from "node:crypto";
import type { ApprovalShown, JsonValue, RiskWord } from "../../../src/lib/api/wire";
import type { House } from "./house.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export const ANSWER = [
    "The test failed because `invoice_total` rounds **each line** and not the sum.\n\n",
    "```python\ndef invoice_total(lines):\n    # Round once, at the end.\n    total = sum(line.amount for line in lines)\n    return round(total, 2)\n```\n\n",
    "| Case | Before | After |\n|---|--:|--:|\n| three thirds | 0.99 | 1.00 |\n| one line | 4.10 | 4.10 |\n\n",
    "- All 48 tests pass.\n- The [style guide](https://example.org/money) asks for the same.\n",
].join("");

export class Agent {
    /** What the turn waits for. */
    private waits = new Map<string, (state: string) => void>();
    private stopped = new Set<string>();
    /** How long between two pieces of words. */
    pace = 25;

    constructor(private readonly house: House) {}

    answered(id: string): void {
        const approval = this.house.approvals.get(id);
        if (approval) this.waits.get(id)?.(approval.state);
    }

    stop(session: string): void {
        this.stopped.add(session);
        for (const approval of this.house.approvals.values()) {
            if (approval.session_id !== session || approval.state !== "open") continue;
            this.house.settle(approval.id, "withdrawn");
            this.answered(approval.id);
        }
    }

    async turn(session: string, message: number, words: string): Promise<void> {
        const turn = randomUUID();
        const began = Date.now();
        this.stopped.delete(session);
        this.house.stand(session, { state: "working" });
        this.house.fact({ type: "status", data: { kind: "turn_started", session_id: session, at: began, turn, messages: [message] } });
        await this.act(session, turn, words);
        const outcome = this.stopped.has(session) ? "halted" : "completed";
        const usage = { input: 1200, output: 340, cache_write: 0, cache_read: 40_000 };
        this.house.fact({ type: "streamComplete", data: { session_id: session, at: Date.now(), turn, outcome, usage, cost_dollars: 0.04, duration_ms: Date.now() - began, artifacts: [], sent: [] } });
        this.house.stand(session, { state: "idle", doing: null });
    }

    private async act(session: string, turn: string, words: string): Promise<void> {
        if (/diff|edit/i.test(words)) return this.edit(session, turn);
        if (/approve|push/i.test(words)) return this.ask(session, turn);
        if (/question/i.test(words)) return this.question(session, turn);
        if (/plan/i.test(words)) return this.plan(session, turn);
        if (/long|slow/i.test(words)) return this.write(session, turn, ANSWER.repeat(6), this.pace * 4);
        return this.write(session, turn, ANSWER);
    }

    /** Words, a piece at a time, and then whole. */
    async write(session: string, turn: string | null, text: string, pace = this.pace): Promise<void> {
        const message = randomUUID();
        const pieces = text.match(/[\s\S]{1,24}/g) ?? [];
        let offset = 0;
        for (const piece of pieces) {
            if (this.stopped.has(session)) return;
            this.house.tell({ type: "streamData", data: { kind: "partial", session_id: session, message, block: 0, offset, text: piece, thinking: false } });
            offset += Buffer.byteLength(piece);
            await pause(pace);
        }
        this.house.fact({ type: "streamData", data: { kind: "text", session_id: session, at: Date.now(), turn, message, text } });
    }

    async use(session: string, turn: string | null, tool: string, input: JsonValue, text: string, detail: JsonValue = null, ok = true, lasts = this.pace * 6): Promise<void> {
        const id = randomUUID();
        this.house.stand(session, { doing: tool });
        this.house.fact({ type: "streamToolUse", data: { kind: "used", session_id: session, at: Date.now(), turn, id, tool, input, parent: null } });
        await pause(lasts);
        this.house.fact({ type: "streamToolUse", data: { kind: "finished", session_id: session, at: Date.now(), id, ok, text, detail, pictures: [] } });
    }

    private async edit(session: string, turn: string): Promise<void> {
        await this.use(session, turn, "Read", { file_path: "/workspace/billing/totals.py" }, "1\tdef invoice_total(lines):\n2\t    return sum(round(line.amount, 2) for line in lines)");
        await this.use(session, turn, "Edit", EDIT, "The file was updated.", PATCH);
        await this.use(session, turn, "Bash", { command: "pytest -q billing", description: "Run the tests" }, "................................................ [100%]\n48 passed in 1.32s");
        await this.write(session, turn, "Done. One file changed, and all 48 tests pass.");
    }

    private async ask(session: string, turn: string): Promise<void> {
        const state = await this.wait(this.approval(session, turn, "high", { command: "git push origin billing-fix", description: "Push the branch" }));
        if (state === "denied" || state === "withdrawn") return this.write(session, turn, "All right, I did not push.");
        await this.use(session, turn, "Bash", { command: "git push origin billing-fix" }, "To github.com:ada/shop.git\n * [new branch]  billing-fix -> billing-fix");
        await this.write(session, turn, "Pushed to `billing-fix`.");
    }

    private async question(session: string, turn: string): Promise<void> {
        const state = await this.wait(this.asked(session, turn, QUESTION));
        await this.write(session, turn, state === "answered" ? "Thank you, I go on with that." : "I leave it as it is.");
    }

    private async plan(session: string, turn: string): Promise<void> {
        const state = await this.wait(this.asked(session, turn, PLAN));
        await this.write(session, turn, state === "allowed" ? "I start." : "I think again.");
    }

    approval(session: string, turn: string | null, risk: RiskWord, input: JsonValue, always = ["Bash(git push *)"]): ApprovalShown {
        const command = String((input as { command?: string }).command ?? "");
        return this.asked(session, turn, { kind: "tool", tool: "Bash", input, shown: `run: ${command}`, questions: [], risk, always });
    }

    asked(session: string, turn: string | null, about: Pick<ApprovalShown, "kind" | "tool" | "input" | "shown" | "questions" | "risk" | "always">): ApprovalShown {
        const id = randomUUID();
        const number = this.house.approvals.size + 1;
        const input_hash = createHash("sha256").update(JSON.stringify(about.input)).digest("hex");
        const approval: ApprovalShown = { id, number, session_id: session, turn, target: null, input_hash, asked_at: Date.now(), expires_at: Date.now() + 29 * 60_000, state: "open", sent: [], ...about };
        this.house.approvals.set(id, approval);
        this.house.fact({ type: "permissionRequest", data: approval });
        return approval;
    }

    private wait({ id }: ApprovalShown): Promise<string> {
        return new Promise((resolve) => this.waits.set(id, resolve));
    }
}

export const EDIT = {
    file_path: "/workspace/billing/totals.py",
    old_string: "    return sum(round(line.amount, 2) for line in lines)",
    new_string: "    total = sum(line.amount for line in lines)\n    return round(total, 2)",
};

export const PATCH = {
    filePath: "/workspace/billing/totals.py",
    structuredPatch: [
        {
            oldStart: 1,
            oldLines: 3,
            newStart: 1,
            newLines: 4,
            lines: [" def invoice_total(lines):", "-    return sum(round(line.amount, 2) for line in lines)", "+    total = sum(line.amount for line in lines)", "+    return round(total, 2)", " "],
        },
    ],
};

export const QUESTION = {
    kind: "question" as const,
    tool: null,
    input: {},
    shown: "Which currency should the report use?\n1) Euro\n2) Dollar",
    questions: [
        {
            question: "Which currency should the report use?",
            header: "Currency",
            several: false,
            options: [
                { label: "Euro", description: "As the invoices are written" },
                { label: "Dollar", description: "As the board reads it" },
            ],
        },
    ],
    risk: "low" as const,
    always: [],
};

export const PLAN = {
    kind: "plan" as const,
    tool: null,
    input: { plan: "" },
    shown: "# Round once\n\n1. Move the rounding out of the loop in `billing/totals.py`.\n2. Add a test for three thirds.\n3. Run all tests.\n\nNothing else changes.",
    questions: [],
    risk: "medium" as const,
    always: [],
};

export const HOST = {
    kind: "host" as const,
    tool: null,
    input: { host: "files.example.net", port: 443, doing: "pip install hypothesis" },
    shown: "reach files.example.net\nwhile it runs: pip install hypothesis",
    questions: [],
    risk: "medium" as const,
    always: ["files.example.net"],
};
