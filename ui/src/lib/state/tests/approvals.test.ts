import { beforeEach, expect, test } from "vitest";
import type { ApprovalShown, ApprovalState } from "../../api/wire";
import { Problem } from "../../problem";
import { Approvals } from "../approvals.svelte";
import { FakeHost } from "./stand";

let host: FakeHost;
let approvals: Approvals;

const approval = (id: string, state: ApprovalState = "open"): ApprovalShown => ({
    id, number: Number(id), session_id: "s", turn: null, kind: "tool", tool: "Bash", target: null, input: { command: "ls" }, input_hash: `hash ${id}`,
    shown: "run: ls", questions: [], risk: "low", always: [], asked_at: 1, expires_at: Date.now() + 60_000, state, sent: [],
});

const resolved = (id: string, decision: ApprovalState, by: string | null = null) =>
    approvals.hear({ seq: 9, type: "permissionResolved", data: { session_id: "s", at: 1, id, decision, channel: by ? "phone" : null, by } });

beforeEach(() => {
    host = new FakeHost();
    approvals = new Approvals(host);
    approvals.hear({ seq: 1, type: "permissionRequest", data: approval("1") });
});

const open = () => approvals.open.map((a) => a.id);

test("an answer names exactly what was shown", async () => {
    host.answers["POST /api/permission/1"] = () => approval("1", "allowed");
    expect(await approvals.answer(approval("1"), { decision: "allow" })).toBe(true);
    expect(host.asked[0]?.body).toEqual({ decision: "allow", input_hash: "hash 1" });
    expect([open(), approvals.stateOf(approval("1"))]).toEqual([[], "allowed"]);
});

test("what was answered elsewhere is no longer open, and says by whom", () => {
    resolved("1", "denied", "Ada's tablet");
    expect(open()).toEqual([]);
    expect(approvals.verdict("1")?.by).toMatchObject({ by: "Ada's tablet", channel: "phone" });
});

test("whoever comes second is told, and sees what the first one said", async () => {
    host.answers["POST /api/permission/1"] = () => {
        throw new Problem("APPROVAL_GONE", "Answered before.", "Look.");
    };
    const answer = approvals.answer(approval("1"), { decision: "allow" });
    expect(approvals.deciding("1")).toBe("allow");
    expect(await answer).toBe(false);
    expect(approvals.problem("1")?.code).toBe("APPROVAL_GONE");
    resolved("1", "denied", "Desk");
    expect([approvals.problem("1"), approvals.stateOf(approval("1")), approvals.deciding("1")]).toEqual([undefined, "denied", undefined]);
});

test("the news of one's own answer may come before its acknowledgement", async () => {
    host.answers["POST /api/permission/1"] = () => {
        resolved("1", "allowed", "Me");
        return approval("1", "allowed");
    };
    await approvals.answer(approval("1"), { decision: "allow" });
    expect(approvals.verdict("1")?.by?.by).toBe("Me");
});

test("two taps are one answer", async () => {
    host.answers["POST /api/permission/1"] = () => approval("1", "denied");
    await Promise.all([approvals.answer(approval("1"), { decision: "deny" }), approvals.answer(approval("1"), { decision: "allow" })]);
    expect(host.asked).toHaveLength(1);
});

test("a welcome is the whole truth: what it does not name is not open", () => {
    approvals.restore([approval("1"), approval("2")]);
    approvals.welcome([approval("2"), approval("3")]);
    expect(open()).toEqual(["2", "3"]);
});

test("an answer that nobody heard leaves it open, and can be given again", async () => {
    host.down = true;
    expect(await approvals.answer(approval("1"), { decision: "allow" })).toBe(false);
    expect(open()).toEqual(["1"]);
    host.down = false;
    host.answers["POST /api/permission/1"] = () => approval("1", "allowed");
    expect(await approvals.answer(approval("1"), { decision: "allow" })).toBe(true);
});

test("a request heard again while catching up says how it stands", () => {
    approvals.hear({ seq: 2, type: "permissionRequest", data: approval("2", "expired") });
    expect(open()).toEqual(["1"]);
});
