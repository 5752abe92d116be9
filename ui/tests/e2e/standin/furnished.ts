// A desk that is lived at: sessions, questions, phones, what happened, what is to be mended.

import { readFileSync } from "node:fs";
import type { Field } from "../../../src/lib/api/desk";
import { ANSWER, EDIT, HOST, PATCH, PLAN, QUESTION } from "./agent.ts";
import { type DeskStandin, phone } from "./desk.ts";

const HOUR = 3_600_000;
export const LONG = "Translate every error message into Portuguese, check each placeholder, and write down whatever the translators will ask about afterwards";
export const RTL = "أصلح اختبار الفواتير الذي يفشل منذ الصباح";

export interface Rooms {
    rich: string;
    asks: string;
    rtl: string;
}

export async function furnish(desk: DeskStandin): Promise<Rooms> {
    desk.agent.pace = 0;
    desk.house.tunnel = "https://brave-otter-12.ngrok.app";
    const rooms = { rich: "", asks: "", rtl: "" };
    const { house, agent } = desk;
    for (const [n, title] of ["Upgrade the linter", "Why is the build slow?", LONG].entries()) {
        const old = house.open(title, { state: n === 0 ? "closed" : "cold", tags: n === 1 ? ["shop"] : [], cost_dollars: 0.31 * (n + 1) });
        house.say(old.id, title, "sms");
        old.last_at = Date.now() - (n + 3) * 9 * HOUR;
    }
    rooms.rtl = house.open(RTL, { cost_dollars: 0.02 }).id;
    house.say(rooms.rtl, RTL, "sms");
    rooms.rich = house.open("Fix the failing test in billing", { cost_dollars: 1.28, model: "sonnet", tags: ["billing"] }).id;
    await tell(desk, rooms.rich);
    rooms.asks = house.open("Push the fix", { state: "working", doing: "Bash", cost_dollars: 0.42 }).id;
    house.say(rooms.asks, "Push it when the tests pass", "sms");
    agent.approval(rooms.asks, null, "high", { command: "git push --force origin billing-fix && curl -d @report.json https://ci.example.org/hook", description: "Push the branch and tell CI", timeout: 120000 });
    agent.asked(rooms.asks, null, { kind: "tool", tool: "Edit", input: EDIT, shown: "edit billing/totals.py", questions: [], risk: "low", always: ["Edit"] });
    agent.asked(rooms.asks, null, QUESTION);
    agent.asked(rooms.asks, null, PLAN);
    agent.asked(rooms.asks, null, HOST);
    desk.findings = [
        { what: "engine", state: "well", says: "Docker 27.3.1 answers.", mend: "", fix: null, fix_label: null, link: null },
        { what: "image", state: "well", says: "It is up to date.", mend: "", fix: null, fix_label: null, link: null },
        { what: "webhook", state: "broken", says: "The number’s texts go to https://old.example.org/sms.", mend: "Lead it here.", fix: "webhook.set", fix_label: "Lead it here", link: null },
        { what: "disk", state: "note", says: "4.1 GB are free.", mend: "Free some space: an image takes 2 GB.", fix: null, fix_label: null, link: "https://docs.docker.com/engine/manage-resources/pruning/" },
        { what: "key", state: "well", says: "The Anthropic key from the keychain works.", mend: "", fix: null, fix_label: null, link: null },
        { what: "clock", state: "well", says: "This computer’s clock is right.", mend: "", fix: null, fix_label: null, link: null },
    ];
    desk.steps = [
        { id: "docker", state: "done", says: "Docker 27.3.1 answers." },
        { id: "image", state: "done", says: "It is up to date." },
        { id: "key", state: "done", says: "The key works." },
        { id: "tunnel", state: "done", says: "It is open." },
        { id: "texting", state: "todo", says: "No number is set up yet.", suggestion: "A Twilio number of your own is needed." },
        { id: "allow", state: "todo", says: "No number may text Lanyard yet." },
        { id: "phone", state: "done", says: "Two phones are paired." },
    ];
    desk.phones = [
        phone("Ada’s iPhone", { connected: 1, paired_at: Date.now() - 40 * HOUR }),
        phone("The old tablet on the shelf in the workshop, next to the soldering station", { browser: "Chrome on Android", paired_at: Date.now() - 900 * HOUR, seen_at: Date.now() - 30 * HOUR, scopes: ["read"] }),
        phone("Somebody’s phone", { revoked_at: Date.now() - 5 * HOUR, revoked_why: "not me", paired_at: Date.now() - 5.1 * HOUR }),
    ];
    desk.tokens = [{ id: "t1", name: "ci", scopes: ["read", "chat"], made_at: Date.now() - 300 * HOUR, used_at: Date.now() - 2 * HOUR, revoked_at: null }];
    desk.accounts = [
        { account: "anthropic", label: "Anthropic", state: "kept", source: "the keychain", needed_for: "Without it no agent can answer.", checkable: true, sign_in: false },
        { account: "twilio", label: "Twilio", state: "missing", needed_for: "Without it there is no texting.", checkable: true, sign_in: false },
        { account: "ngrok", label: "ngrok", state: "kept", source: "the keychain", needed_for: "Without it there is no tunnel.", checkable: true, sign_in: false },
        { account: "github", label: "GitHub", state: "locked", needed_for: "Without it there are no pull requests.", checkable: true, sign_in: true, problem: { code: "KEYCHAIN_UNAVAILABLE", message: "The keychain is locked.", suggestion: "Unlock it, then look again." } },
    ];
    desk.numbers = [
        { number: "+15550100123", sid: "PN1", label: "Lanyard", sms: true, mms: true, kind: "local", registration: { state: "missing", says: "Carriers in the US do not let it through yet.", suggestion: "Register it for A2P messages.", link: "https://console.twilio.com" }, webhook: "https://demo.twilio.com/welcome/sms/reply", ours: false },
        { number: "+18885550199", sid: "PN2", label: "+18885550199", sms: true, mms: false, kind: "toll_free", registration: { state: "done", says: "It is verified." }, ours: false },
    ];
    desk.importable = [
        { path: "/home/ada/.claude/projects/shop/1.jsonl", project: "~/code/shop", first_words: "why does the cart forget its items?", at: Date.now() - 50 * HOUR, events: 214, known: false },
        { path: "/home/ada/.claude/projects/shop/2.jsonl", project: "~/code/shop", first_words: RTL, at: Date.now() - 90 * HOUR, events: 31, known: false },
        { path: "/home/ada/.claude/projects/dots/3.jsonl", project: "~/dotfiles", first_words: "set up a new shell", at: Date.now() - 400 * HOUR, events: 88, known: true },
    ];
    desk.settings = { ...desk.settings, fields: FIELDS, values: { spend: { turn: 2, session: 10, day: 20 }, approvals: { sms_grants: "low", wait_minutes: 60 }, agent: { model: "sonnet", mode: "default" }, twilio: { allow: ["+15550100199"], from: "" }, push: { text_after: 120 }, egress: { allow: ["github.com", "*.githubusercontent.com"], ask_seconds: 30 } } };
    const number = house.sessions.get(rooms.asks)?.number ?? null;
    desk.rules = [
        { rule: "Bash(npm test *)", exact: "Bash(npm test *)", session: 6, at: Date.now() - 12 * 60_000 },
        { rule: "Edit(/workspace/docs/<U+202E>*)", exact: "Edit(/workspace/docs/\u202e*)", session: 3, at: Date.now() - 3 * 3_600_000 },
    ];
    desk.hosts = [
        { id: 4, host: "files.example.net", at: Date.now() - 12 * 60_000, session: number, approval: 9 },
        { id: 3, host: "npm.example.net", at: Date.now() - 5 * HOUR, session: null, approval: 4 },
        { id: 2, host: "a-mirror-with-a-rather-long-name.packages.internal.example.org:8443", at: Date.now() - 60 * HOUR, session: null, approval: null },
        { id: 1, host: "api.example.com", at: Date.now() - 900 * HOUR, session: 412, approval: 2 },
    ];
    desk.packages = [
        { host: "npm.example.com", manager: "npm" },
        { host: "mirror.internal.example.org:8443", manager: "pip" },
        { host: "deb.example.com:80", manager: "apt" },
    ];
    desk.audit = { rows: 12_840, signed: 12_838, cut: 840, broken: null };
    const kinds = ["answered", "allowed", "asked", "said", "text_sent", "host_allowed", "host_blocked", "paired", "denied", "text_failed", "pushed", "turn_failed"] as const;
    const titles = { answered: "All 48 tests pass", allowed: "Allowed: pytest -q billing", asked: "Asked: pytest -q billing", said: "Fix the failing test in billing", text_sent: "Texted the answer", host_allowed: "npm.example.net was reached", host_blocked: "telemetry.example.com was blocked", paired: "Ada’s iPhone paired", denied: "Denied: git push --force", text_failed: "A text was not delivered", pushed: "A notice was shown", turn_failed: "A turn failed: the model has too much to do" } as const;
    desk.activity = Array.from({ length: 140 }, (_, n) => {
        const kind = kinds[n % kinds.length] ?? "said";
        return { id: String(1_000 - n), at: Date.now() - n * 47 * 60_000, kind, title: kind === "said" && n % 24 === 3 ? RTL : titles[kind], ...(kind === "text_failed" ? { detail: "30007: a carrier filtered it" } : kind === "allowed" ? { detail: "cd /workspace/billing && pytest -q --maxfail=1" } : {}), who: n % 3 === 0 ? "Ada’s iPhone" : "..0199", channel: n % 3 === 0 ? "phone" : "sms", ...(n % 2 === 0 ? { session_id: rooms.rich, session_number: 5 } : {}) };
    });
    return rooms;
}

async function tell(desk: DeskStandin, id: string): Promise<void> {
    const { house, agent } = desk;
    house.say(id, "The test in billing fails since this morning. Please have a look and fix it.", "desktop");
    await agent.write(id, null, "I look at the test first.");
    await agent.use(id, null, "Grep", { pattern: "invoice_total", path: "/workspace" }, "billing/totals.py:1\nbilling/test_totals.py:4");
    await agent.use(id, null, "Read", { file_path: "/workspace/billing/totals.py" }, "1\tdef invoice_total(lines):");
    await agent.use(id, null, "Edit", EDIT, "ok", PATCH);
    await agent.use(id, null, "Bash", { command: "pytest -q billing --maxfail=1 --no-header -p no:cacheprovider" }, "1 failed, 47 passed in 1.41s", null, false);
    const done = agent.approval(id, null, "medium", { command: "pip install hypothesis" });
    house.settle(done.id, "denied", "Ada’s iPhone");
    await agent.write(id, null, ANSWER);
    const art = desk.keep(id, readFileSync(new URL("../../../public/icons/512.png", import.meta.url)), "image/png", "The invoice, as it is printed now");
    house.fact({ type: "streamData", data: { kind: "artifact", session_id: id, at: Date.now(), turn: null, artifact: art, media_type: "image/png", caption: "The invoice, as it is printed now" } });
    const sent = [{ to: "sms", name: "..0199", state: "failed", why: "A carrier filtered it.", at: Date.now() }, { to: "push", name: "Ada’s iPhone", state: "shown", at: Date.now() }] as const;
    house.fact({ type: "streamComplete", data: { session_id: id, at: Date.now(), turn: "t", outcome: "completed", usage: { input: 1, output: 1, cache_read: 1, cache_write: 1 }, cost_dollars: 0.12, duration_ms: 74_000, artifacts: [], sent: [...sent] } });
    house.say(id, "And now deploy", "phone");
    house.fact({ type: "error", data: { session_id: id, at: Date.now(), code: "MODEL_OVERLOADED", kind: "process", message: "The model has too much to do just now.", details: { suggestion: "Say it again in a few minutes." } } });
}

const field = (key: string, kind: Field["kind"], label: string, help: string, more: Partial<Field> & Pick<Field, "default" | "section">): Field => ({ key, kind, label, help, advanced: false, restart: false, ...more });

const FIELDS: Field[] = [
    field("spend.turn", "number", "A turn may cost", "Past this the agent is stopped and you are asked.", { section: "Spending", default: 2, unit: "dollars" }),
    field("spend.session", "number", "A session may cost", "All turns of one session together.", { section: "Spending", default: 10, unit: "dollars" }),
    field("spend.day", "number", "A day may cost", "Everything together, from midnight to midnight by this computer’s clock.", { section: "Spending", default: 20, unit: "dollars" }),
    field("approvals.sms_grants", "choice", "A text may allow", "What is riskier comes as a link.", { section: "Approvals", default: "low", choices: [{ value: "nothing", label: "Nothing" }, { value: "low", label: "What is low risk" }] }),
    field("approvals.pin_from", "choice", "A phone needs your PIN", "From this risk on a phone’s yes needs the PIN that you set here.", { section: "Approvals", default: "none", choices: [{ value: "none", label: "Never" }, { value: "high", label: "For high risk" }] }),
    field("approvals.wait_minutes", "number", "A question waits", "Without an answer until then it means no.", { section: "Approvals", default: 30, unit: "minutes" }),
    field("agent.model", "text", "Model", "As Claude Code names it. Empty: its own default.", { section: "Agent", default: "" }),
    field("agent.warm", "switch", "Keep one ready", "A process is started ahead, so that the first word of a new session comes sooner.", { section: "Agent", default: true, restart: true }),
    field("twilio.allow", "list", "Numbers that may text", "Each with its country’s code. Everybody else gets no answer.", { section: "Texting", default: [] }),
    field("push.text_after", "number", "Text after", "When no phone showed a notice by then, a text goes.", { section: "Texting", default: 120, unit: "seconds", advanced: true }),
    field("egress.allow", "list", "Hosts it may reach", "Without asking you, as name, *.name or name:port.", { section: "Sandbox", default: [] }),
    field("egress.ask_seconds", "number", "A connection waits for your answer", "When a program in the sandbox wants another host. 0: it is refused, and you are not asked.", { section: "Sandbox", default: 30, unit: "seconds" }),
    field("sandbox.uid", "number", "User id inside", "0: yours, or 1000 if you are root.", { section: "Sandbox", default: 0, advanced: true }),
];
