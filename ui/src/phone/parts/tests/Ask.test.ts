import { fireEvent, screen } from "@testing-library/svelte";
import { beforeEach, expect, test } from "vitest";
import type { ApprovalShown } from "../../../lib/api/wire";
import { Problem } from "../../../lib/problem";
import type { Phone } from "../../../lib/state/phone.svelte";
import type { FakeHost } from "../../../lib/state/tests/stand";
import Ask from "../../../lib/components/Ask.svelte";
import { approval, phone as make, show } from "./stand";

let phone: Phone;
let host: FakeHost;

beforeEach(async () => {
    ({ phone, host } = await make());
    host.answers["POST /api/permission/"] = () => null;
});

function ask(change: Partial<ApprovalShown> = {}) {
    const asked = approval(change);
    phone.approvals.restore([asked]);
    return show(Ask, phone, { approval: asked });
}

const tap = (name: string | RegExp) => fireEvent.click(screen.getByRole("button", { name }));
const answered = () => host.asked.map((a) => a.body);

test("what would run is shown to the letter, with its risk and how long there is", () => {
    const { container } = ask({ input: { command: "rm -rf \u202Ebuild" }, risk: "medium" });
    expect(container.querySelector("pre")?.textContent).toBe("rm -rf <U+202E>build");
    expect(screen.getByText("Medium risk")).toBeTruthy();
    expect(screen.getByText(/No answer counts as no, in 9 min/)).toBeTruthy();
});

test("where a file's link leads is seen", () => {
    const write = { tool: "Write", input: { file_path: "/workspace/notes.md", content: "x" }, target: "/home/agent/.bashrc" };
    expect(ask(write).container.querySelector("dl")?.textContent).toMatch(/really\s*\/home\/agent\/\.bashrc/);
});

test("a tap allows once", async () => {
    ask();
    await tap("Allow once");
    expect(answered()).toEqual([{ decision: "allow", input_hash: "hash" }]);
});

test("a host is allowed for a while, for the session, or always once its rule was seen", async () => {
    const host = { kind: "host" as const, tool: null, input: { host: "packages.example", port: 443, doing: "npm install" }, shown: "reach packages.example\nwhile it runs: npm install", always: ["packages.example"] };
    const { container } = ask(host);
    expect(screen.getByRole("heading").textContent).toBe("May the sandbox reach this host?");
    expect(container.querySelector("pre")?.textContent).toBe("packages.example");
    expect(container.querySelector("dl")?.textContent).toMatch(/while it runs\s*npm install/);
    await tap("For this session");
    expect(answered()).toEqual([{ decision: "allow_session", input_hash: "hash" }]);
});

test("always for a host says first which", async () => {
    ask({ kind: "host", tool: null, input: { host: "packages.example", port: 443 }, shown: "reach packages.example", always: ["packages.example"] });
    await tap("Always allow…");
    expect(screen.getByText(/every session reaches this without asking/)).toBeTruthy();
    await tap("Always allow this host");
    expect(answered()).toEqual([{ decision: "allow_always", input_hash: "hash" }]);
});

test("what is risky takes two taps", async () => {
    ask({ risk: "high" });
    await tap("Allow once");
    expect(answered()).toEqual([]);
    await tap("Yes, run it");
    expect(answered()).toHaveLength(1);
});

test("always says first what it would allow", async () => {
    ask();
    await tap("Always allow…");
    expect(screen.getByText("Bash(npm test *)")).toBeTruthy();
    await tap("Always allow this");
    expect(answered()).toEqual([{ decision: "allow_always", input_hash: "hash" }]);
});

test("always is not offered where there is nothing to allow", () => {
    ask({ always: [] });
    expect(screen.queryByRole("button", { name: /Always/ })).toBeNull();
});

test("a denial can say what to do instead", async () => {
    ask();
    await tap("Deny, with a word…");
    await fireEvent.input(screen.getByRole("textbox"), { target: { value: "Use pnpm" } });
    await tap("Deny and say so");
    expect(answered()).toEqual([{ decision: "deny", message: "Use pnpm", input_hash: "hash" }]);
});

test("a plan is started on, or goes back with what should change", async () => {
    ask({ kind: "plan", tool: null, shown: "# Do it" });
    await tap("Change the plan…");
    await fireEvent.input(screen.getByRole("textbox"), { target: { value: "Smaller steps" } });
    await tap("Send it back");
    expect(answered()).toEqual([{ decision: "deny", message: "Smaller steps", input_hash: "hash" }]);
});

test("questions are answered by what is picked or written", async () => {
    const option = (label: string) => ({ label, description: "" });
    const questions = [
        { question: "Which?", header: null, several: false, options: [option("A"), option("B")] },
        { question: "And?", header: null, several: true, options: [option("C"), option("D")] },
    ];
    ask({ kind: "question", tool: null, questions });
    expect(screen.getByRole("button", { name: "Answer" })).toHaveProperty("disabled", true);
    await fireEvent.click(screen.getByRole("radio", { name: "B" }));
    await fireEvent.click(screen.getByRole("checkbox", { name: "C" }));
    await fireEvent.click(screen.getByRole("checkbox", { name: "D" }));
    await tap("Answer");
    expect(answered()).toEqual([{ decision: "answer", answer: "2\n1 2", input_hash: "hash" }]);
});

test("who answered elsewhere is named, and no button stays", async () => {
    ask();
    phone.approvals.hear({ seq: 1, type: "permissionResolved", data: { session_id: "s", at: 1, id: "a1", decision: "denied", channel: "phone", by: "Ada's tablet" } });
    expect(await screen.findByText("Denied by Ada's tablet.")).toBeTruthy();
    expect(screen.queryByRole("button")).toBeNull();
});

test("an answer that did not arrive says why, and can be given again", async () => {
    host.answers["POST /api/permission/"] = () => {
        throw new Problem("UNREACHABLE", "Your computer does not answer.", "Try again.");
    };
    ask();
    await tap("Allow once");
    expect((await screen.findByRole("alert")).textContent).toContain("Your computer does not answer.");
    expect(screen.getByRole("button", { name: "Allow once" })).toHaveProperty("disabled", false);
});

test("a phone that may not answer is told so", () => {
    phone.pairing.scopes = ["read"];
    ask();
    expect(screen.queryByRole("button")).toBeNull();
    expect(screen.getByText(/may not answer/)).toBeTruthy();
});

test("what has run out is no longer offered", () => {
    ask({ expires_at: Date.now() - 1 });
    expect(screen.queryByRole("button")).toBeNull();
});

test("a yes that needs the PIN asks for it, says what is wrong with one, and sends the same word with it", async () => {
    let tries = 0;
    host.answers["POST /api/permission/"] = (body) => {
        if ((body as { pin?: string }).pin === undefined) throw new Problem("PIN_NEEDED", "On a phone, allowing this needs your PIN.", "Send it.");
        if (++tries === 1) throw new Problem("PIN_WRONG", "That is not your PIN.", "4 tries are left.");
        return null;
    };
    ask({ always: ["Bash(npm test)"] });
    await tap("Always allow…");
    await tap("Always allow this");
    const field = await screen.findByLabelText<HTMLInputElement>("Your PIN");
    expect([field.type, screen.queryByRole("alert")]).toEqual(["password", null]);
    await fireEvent.input(field, { target: { value: "1111" } });
    await tap("Allow with PIN");
    expect((await screen.findByRole("alert")).textContent).toBe("That is not your PIN. 4 tries are left.");
    expect(field.value).toBe("");
    await fireEvent.input(screen.getByLabelText("Your PIN"), { target: { value: "2468" } });
    await tap("Allow with PIN");
    expect(await screen.findByText(/Allowed/)).toBeTruthy();
    expect(answered()).toEqual([undefined, "1111", "2468"].map((pin) => ({ decision: "allow_always", input_hash: "hash", ...(pin ? { pin } : {}) })));
});

test("back from the PIN the question stands as before", async () => {
    host.answers["POST /api/permission/"] = () => {
        throw new Problem("PIN_NEEDED", "On a phone, allowing this needs your PIN.", "Send it.");
    };
    ask();
    await tap("Allow once");
    await screen.findByLabelText("Your PIN");
    await tap("Back");
    expect(screen.getByRole("button", { name: "Allow once" })).toBeTruthy();
});
