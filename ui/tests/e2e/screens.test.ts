// Every screen in every face: light and dark, at twice the text size, on a phone 360 px wide, and each without a barrier that
// axe knows. With LANYARD_SHOTS a picture of each is made, to be looked at.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ANSWER, EDIT, PATCH, PLAN, QUESTION } from "./standin/agent.ts";
import { Standin } from "./standin/server.ts";
import { type Furnished, PUSH, furnishTasks } from "./standin/tasks.ts";
import { type World, browser, pair, phone, settled, shot, world } from "./world.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let chrome: Browser;
let house: World;
let standin: Standin;
const ids = { rich: "", asks: "", cold: "" };
let tasks: Furnished;

beforeAll(async () => {
    chrome = await browser();
    const scripted = await world();
    if (!scripted.standin) throw new Error("The screens are those of the stand-in: run without LANYARD_URL.");
    house = scripted;
    standin = scripted.standin;
    await furnish();
});

afterAll(async () => {
    await chrome?.close();
    await house?.stop();
});

async function furnish(): Promise<void> {
    const { house: lodge, agent } = standin;
    agent.pace = 0;
    const hour = 3_600_000;
    for (const [n, title] of ["Upgrade the linter", "Why is the build slow?", "Translate the error messages into Portuguese and check every placeholder"].entries()) {
        const old = lodge.open(title, { state: n === 0 ? "closed" : "cold", tags: n === 1 ? ["shop"] : [] });
        lodge.say(old.id, title, "sms");
        old.last_at = Date.now() - (n + 3) * 9 * hour;
        ids.cold = old.id;
    }
    ids.asks = lodge.open("Push the fix", { state: "working", doing: "Bash" }).id;
    lodge.say(ids.asks, "Push it when the tests pass", "sms");
    agent.approval(ids.asks, null, "high", { command: "git push --force origin billing-fix && curl -d @report.json https://ci.example.org/hook", description: "Push the branch and tell CI", timeout: 120000 });
    agent.asked(ids.asks, null, { kind: "tool", tool: "Edit", input: EDIT, shown: "edit billing/totals.py", questions: [], risk: "low", always: ["Edit"] });
    agent.asked(ids.asks, null, QUESTION);
    agent.asked(ids.asks, null, PLAN);
    ids.rich = lodge.open("Fix the failing test in billing").id;
    lodge.say(ids.rich, "The test in billing fails since this morning. Please have a look and fix it.");
    await agent.write(ids.rich, null, "I look at the test first.");
    await agent.use(ids.rich, null, "Grep", { pattern: "invoice_total", path: "/workspace" }, "billing/totals.py:1\nbilling/test_totals.py:4");
    await agent.use(ids.rich, null, "Read", { file_path: "/workspace/billing/totals.py" }, "1\tdef invoice_total(lines):");
    await agent.use(ids.rich, null, "Edit", EDIT, "ok", PATCH);
    await agent.use(ids.rich, null, "Bash", { command: "pytest -q billing --maxfail=1 --no-header -p no:cacheprovider" }, "1 failed, 47 passed in 1.41s", null, false);
    await agent.use(ids.rich, null, "TodoWrite", { todos: [{ content: "Fix the rounding", status: "completed" }, { content: "Run all tests", status: "in_progress" }, { content: "Tidy up", status: "pending" }] }, "ok");
    const done = agent.approval(ids.rich, null, "medium", { command: "pip install hypothesis" });
    lodge.settle(done.id, "denied", "Ada's phone");
    await agent.write(ids.rich, null, ANSWER);
    const art = standin.keep(ids.rich, readFileSync(new URL("../../public/icons/512.png", import.meta.url)), "image/png", "The invoice, as it is printed now");
    lodge.fact({ type: "streamData", data: { kind: "artifact", session_id: ids.rich, at: Date.now(), turn: null, artifact: art, media_type: "image/png", caption: "The invoice, as it is printed now" } });
    lodge.fact({ type: "streamComplete", data: { session_id: ids.rich, at: Date.now(), turn: "t", outcome: "completed", usage: { input: 1, output: 1, cache_read: 1, cache_write: 1 }, cost_dollars: 0.12, duration_ms: 74_000, artifacts: [], sent: [] } });
    tasks = furnishTasks(lodge, (session) => void agent.asked(session, null, PUSH));
    lodge.say(ids.rich, "And now deploy");
    lodge.fact({ type: "error", data: { session_id: ids.rich, at: Date.now(), code: "MODEL_OVERLOADED", kind: "process", message: "The model has too much to do just now.", details: { suggestion: "Say it again in a few minutes." } } });
}

type Look = (page: Page) => Promise<void>;

const go = (path: string): Look => async (page) => {
    await page.goto(`${standin.url}/#/${path}`);
};

/** A screen, and what has to be on it before it is looked at. */
const SCREENS: Record<string, Look> = {
    "chat-top": async (page) => {
        await go(`chat/${ids.rich}`)(page);
        await page.getByText(/^Done · /).waitFor();
        await page.locator("main").evaluate((main) => (main.scrollTop = 0));
    },
    "chat-middle": async (page) => {
        await go(`chat/${ids.rich}`)(page);
        await page.getByText(/^Done · /).waitFor();
        await page.locator("pre [data-kind=keyword]").first().waitFor();
        await page.locator("figure pre").first().scrollIntoViewIfNeeded();
    },
    "chat-end": async (page) => {
        await go(`chat/${ids.rich}`)(page);
        await page.getByText("too much to do").waitFor();
        await page.waitForFunction(() => [...document.images].every((image) => image.complete));
    },
    "chat-diff": async (page) => {
        await go(`chat/${ids.rich}`)(page);
        await page.locator("summary").filter({ hasText: "Edited" }).tap();
        await page.locator("summary").filter({ hasText: "pytest" }).tap();
        await page.locator("summary").filter({ hasText: "Updated its list" }).tap();
        await page.locator(".diff").scrollIntoViewIfNeeded();
    },
    "chat-approval": async (page) => {
        await go(`chat/${ids.asks}`)(page);
        await page.locator(".card").first().waitFor();
        await page.locator(".card").first().scrollIntoViewIfNeeded();
    },
    "chat-working": async (page) => {
        await go(`chat/${ids.asks}`)(page);
        await page.getByRole("textbox", { name: "Message" }).fill("Use the staging branch\ninstead of main");
        await page.getByText("Into this turn").waitFor();
    },
    "new": async (page) => {
        await go("chat/new")(page);
        await page.getByText("Set it up").tap();
    },
    "switch": async (page) => {
        await go(`chat/${ids.rich}`)(page);
        await page.getByText("too much to do").waitFor();
        await page.locator("header button.name").tap();
        await page.getByRole("dialog").waitFor();
    },
    "session": async (page) => {
        await go(`chat/${ids.rich}`)(page);
        await page.getByRole("button", { name: "About this session" }).tap();
        await page.getByRole("dialog").waitFor();
    },
    "sessions": async (page) => {
        await go("sessions")(page);
        await page.locator("main li").first().waitFor();
    },
    "search": async (page) => {
        await go("sessions?q=test")(page);
        await page.locator("mark").first().waitFor();
    },
    "search-nothing": async (page) => {
        await go("sessions?q=zebra")(page);
        await page.getByText("Nothing found").waitFor();
    },
    "approvals": async (page) => {
        await go("approvals")(page);
        await page.locator("main li").first().waitFor();
    },
    "approval-command": (page) => approval(page, 0),
    "approval-sure": async (page) => {
        await approval(page, 0);
        await page.getByRole("button", { name: "Always allow…" }).tap();
        await page.getByRole("button", { name: "Deny, with a word…" }).tap();
        await page.getByRole("button", { name: "Allow once" }).tap();
        await page.getByRole("alert").waitFor();
    },
    "approval-edit": (page) => approval(page, 1),
    "approval-pin": async (page) => {
        standin.pin = "2468";
        await approval(page, 1);
        await page.getByRole("button", { name: "Allow once" }).click();
        await page.getByLabel("Your PIN").fill("1111");
        await page.getByRole("button", { name: "Allow with PIN" }).click();
        await page.getByText("That is not your PIN.").waitFor();
        await page.getByLabel("Your PIN").fill("24");
        await page.getByLabel("Your PIN").scrollIntoViewIfNeeded();
        standin.pin = null;
    },
    "approval-question": async (page) => {
        await approval(page, 2);
        await page.getByLabel("Euro").check();
    },
    "approval-plan": async (page) => {
        await approval(page, 3);
        await page.getByRole("button", { name: "Change the plan…" }).tap();
    },
    "approval-gone": async (page) => {
        await go("approvals/00000000-0000-4000-8000-000000000000")(page);
        await page.getByText(/not open any more/).waitFor();
    },
    "tasks": async (page) => {
        await go("tasks")(page);
        await page.locator("main .state[data-kind=needs_you]").waitFor();
    },
    "tasks-end": async (page) => {
        await go("tasks")(page);
        await page.getByText("Fix the failing test").scrollIntoViewIfNeeded();
    },
    "task-done": (page) => task(page, tasks.done, "What the agent said"),
    "task-done-end": async (page) => {
        await task(page, tasks.done, "How it went");
        await page.getByText(/^Asked for/).scrollIntoViewIfNeeded();
    },
    "task-checks": async (page) => {
        await task(page, tasks.checks, "Checks failed");
        await page.getByRole("button", { name: "Run again…" }).tap();
        await page.getByLabel("More words for the agent").fill("The totals of refunds are negative.");
        await page.getByText(/^Try 1: /).tap();
        await page.getByRole("button", { name: "Run it again" }).scrollIntoViewIfNeeded();
    },
    "task-checks-tries": async (page) => {
        await task(page, tasks.checks, "Checks failed");
        await page.getByText(/^Try 1: /).tap();
        await page.getByText(/^Asked for/).scrollIntoViewIfNeeded();
    },
    "task-failed": (page) => task(page, tasks.failed, "own tests failed"),
    "task-asks": (page) => task(page, tasks.asks, "May it push to a protected branch?"),
    "task-works": async (page) => {
        await task(page, tasks.works, "Using Bash");
        await page.getByRole("button", { name: "Take it back" }).tap();
        await page.getByRole("button", { name: "Yes, take it back" }).scrollIntoViewIfNeeded();
    },
    "task-later": (page) => task(page, tasks.later, "High priority"),
    "task-unknown": async (page) => {
        await go("tasks/999")(page);
        await page.getByRole("heading", { name: "No such task" }).waitFor();
    },
    "task-new": async (page) => {
        await go("tasks/new")(page);
        await page.getByLabel("Repository", { exact: true }).tap();
        await page.getByRole("option").first().waitFor();
    },
    "task-new-full": async (page) => {
        await go("tasks/new")(page);
        await page.getByLabel("Repository", { exact: true }).fill("git.example.org/a/b");
        await page.getByText("Nothing to choose from").waitFor();
        await page.getByLabel("What should be done?").fill("Fix the failing test in billing.\nThe total of three thirds is one cent short.");
        await page.getByText("Budget, priority, time and branch").tap();
        await page.getByLabel("Budget in dollars").fill("much");
        await page.getByText("A sum, as in 2.50.").waitFor();
        await page.getByRole("button", { name: "Make the task" }).scrollIntoViewIfNeeded();
    },
    "more": async (page) => {
        await go("more")(page);
        await page.getByText("ada-desk").waitFor();
    },
    "more-lan": async (page) => {
        standin.house.lan = ["https://lanyard-desk.local:7443"];
        await go("more")(page);
        await page.getByRole("link", { name: "Download the certificate" }).scrollIntoViewIfNeeded();
        standin.house.lan = [];
    },
    "more-forget": async (page) => {
        await go("more")(page);
        await page.getByRole("button", { name: "Forget this phone" }).tap();
        await page.getByRole("alert").scrollIntoViewIfNeeded();
    },
};

async function approval(page: Page, place: number): Promise<void> {
    await go("approvals")(page);
    await page.locator("main li button").nth(place).tap();
    await page.locator("article").waitFor();
}

async function task(page: Page, id: number, seen: string): Promise<void> {
    await go(`tasks/${id}`)(page);
    await page.getByText(seen).first().waitFor();
    // What is kept shows before the line is there; a button that changes while it is looked at has no contrast to measure.
    await page.getByText("Changes need a line to your computer.").waitFor({ state: "hidden" });
}

/** Barriers, and whatever is wider than the phone or cut off from view. */
async function inspect(page: Page): Promise<string[]> {
    await settled(page);
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: { run(options: object): Promise<AxeResults> } }).axe.run({ resultTypes: ["violations"] }));
    const barriers = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`);
    const wide = await page.evaluate(() => {
        const inside = (el: Element) => el.closest("pre, .scroll, .short, .what, .words, h1, .under, .said-only, dialog") !== null;
        return [...document.querySelectorAll("body *")].filter((el) => !inside(el) && el.getClientRects().length > 0 && el.getBoundingClientRect().right > innerWidth + 1).map((el) => `wide: ${el.tagName}.${el.className}`);
    });
    const small = await page.evaluate(() =>
        [...document.querySelectorAll("button, summary, select, input:not([type=radio]):not([type=checkbox]):not([type=file]), textarea")]
            .filter((el) => el.getClientRects().length > 0 && el.getBoundingClientRect().height < 43.5)
            .map((el) => `small: ${el.tagName} ${el.textContent?.slice(0, 30)} ${el.getBoundingClientRect().height}`),
    );
    return [...barriers, ...wide, ...small];
}

/** Before the page's own code runs, as the system's setting would. */
const enlarge = (context: BrowserContext) =>
    context.addInitScript(() => document.addEventListener("readystatechange", () => void (document.documentElement.style.fontSize = "32px")));

async function walk(context: BrowserContext, suffix: string, large: boolean): Promise<Record<string, string[]>> {
    if (large) await enlarge(context);
    const page = await pair(context, house);
    const found: Record<string, string[]> = {};
    for (const [name, look] of Object.entries(SCREENS)) {
        await page.goto("about:blank");
        await look(page);
        const wrong = await inspect(page);
        if (wrong.length > 0) found[name] = wrong;
        await shot(page, `${name}-${suffix}`);
    }
    return found;
}

for (const scheme of ["light", "dark"] as const) {
    test(`no screen has a barrier, in ${scheme}`, async () => {
        const context = await phone(chrome, scheme);
        expect(await walk(context, scheme, false)).toEqual({});
        await context.close();
    });
}

test("no screen has a barrier in text of twice the size", async () => {
    const context = await phone(chrome);
    expect(await walk(context, "large", true)).toEqual({});
    await context.close();
});

for (const scheme of ["light", "dark"] as const) {
    test(`the way in and the way out have no barrier, in ${scheme}`, async () => {
        const context = await phone(chrome, scheme);
        const page = await context.newPage();
        const look = async (name: string) => {
            expect(await inspect(page), name).toEqual([]);
            await shot(page, `${name}-${scheme}`);
        };
        await page.goto(standin.url);
        await page.getByText("Or paste the address").tap();
        await look("unpaired");
        await page.goto("about:blank");
        await page.goto(`${standin.url}/pair#c=wrong`);
        await page.getByRole("button", { name: "Pair" }).waitFor();
        await look("pair");
        await page.getByRole("button", { name: "Pair" }).tap();
        await page.getByRole("alert").waitFor();
        await look("pair-failed");
        const paired = await pair(context, house, "Soon gone");
        for (const row of standin.house.phones.values()) if (row.name === "Soon gone") row.revoked = true;
        standin.cut();
        await paired.getByRole("heading", { name: /no longer paired/ }).waitFor();
        expect(await inspect(paired)).toEqual([]);
        await shot(paired, `gone-${scheme}`);
        await context.close();
    });
}

test("what a link in a text shows has no barrier", async () => {
    standin.links.set("answer", { kind: "answer", session: { title: "Fix billing" }, at: Date.now(), markdown: ANSWER, artifacts: [{ url: "/icons/512.png", media_type: "image/png", caption: "The page" }] });
    standin.links.set("approval", { kind: "approval", id: "a7", now: Date.now(), number: 7, tool: "Bash", input: { command: "git push --force", description: "Push it" }, shown: "", risk: "high", state: "open", expires_at: Date.now() + 600_000 });
    for (const scheme of ["light", "dark"] as const) {
        const context = await phone(chrome, scheme);
        const page = await context.newPage();
        for (const [name, path] of Object.entries({ "link-answer": "/a/answer", "link-approval": "/p/approval", "link-over": "/a/over" })) {
            await page.goto(standin.url + path);
            await page.getByRole("heading", { level: 1 }).waitFor();
            expect(await inspect(page), name).toEqual([]);
            await shot(page, `${name}-${scheme}`);
        }
        const paired = await pair(context, house);
        const asked = [...standin.house.approvals.values()].find((a) => a.session_id === ids.asks);
        standin.links.set("mine", { kind: "approval", id: asked?.id, now: Date.now(), number: asked?.number, tool: "Bash", input: asked?.input, shown: asked?.shown, risk: "high", state: "open", expires_at: Date.now() + 600_000 });
        await paired.goto(`${standin.url}/p/mine`);
        const answer = paired.getByRole("link", { name: "Answer here" });
        await answer.waitFor();
        expect(await inspect(paired), "link-approval-paired").toEqual([]);
        await shot(paired, `link-approval-paired-${scheme}`);
        await answer.tap();
        await paired.getByRole("button", { name: /^Allow/ }).first().waitFor();
        expect(await inspect(paired), "answered here").toEqual([]);
        await context.close();
    }
});

test("without a line every screen shows what it has, and says so", async () => {
    const context = await phone(chrome);
    const page = await pair(context, house);
    await SCREENS["chat-end"]?.(page);
    await page.getByRole("button", { name: "Sessions", exact: true }).tap();
    await page.locator("main li").first().waitFor();
    standin.dead = true;
    standin.cut();
    await page.getByText(/Your computer does not answer/).waitFor();
    const look = async (name: string) => {
        expect(await inspect(page), name).toEqual([]);
        await shot(page, `offline-${name}`);
    };
    await look("sessions");
    await page.locator("main li").filter({ hasText: "Fix the failing" }).tap();
    await page.getByText("All 48 tests pass").waitFor();
    await page.getByRole("textbox", { name: "Message" }).fill("Then tell me how long it took");
    await page.locator("button.send").tap();
    await page.getByText(/One message waits/).waitFor();
    await look("chat");
    await page.goBack();
    await page.locator("main li").filter({ hasText: "Upgrade the linter" }).tap();
    await page.getByRole("heading", { name: "Your computer does not answer" }).waitFor();
    await look("chat-unknown");
    await page.goBack();
    await page.getByRole("searchbox").fill("invoice");
    await page.getByText(/on this phone/).waitFor();
    await look("search");
    await page.getByRole("button", { name: /^Approvals/ }).tap();
    await look("approvals");
    await page.getByRole("button", { name: "Tasks", exact: true }).tap();
    await page.getByRole("button", { name: "New task" }).tap();
    await page.getByLabel("Repository", { exact: true }).fill("acme/shop");
    await page.getByLabel("What should be done?").fill("Write the release notes");
    await look("task-new");
    await page.getByRole("button", { name: "Make the task" }).tap();
    await page.getByText("Waits for the line").waitFor();
    await look("tasks");
    await page.getByRole("button", { name: "Take back" }).tap();
    await page.getByRole("button", { name: "More" }).tap();
    await look("more");
    standin.dead = false;
    await context.close();
});

test("a house with nothing in it says how to begin", async () => {
    const empty = await Standin.start(new URL("../../dist", import.meta.url).pathname);
    const context = await phone(chrome);
    const page = await pair(context, { ...house, url: empty.url, code: async () => empty.house.code() });
    for (const [name, words] of Object.entries({ chat: "What should be done?", sessions: "No sessions yet", approvals: "Nothing needs you", tasks: "No tasks yet" })) {
        await page.goto(`${empty.url}/#/${name === "chat" ? "" : name}`);
        await page.getByText(words).waitFor();
        expect(await inspect(page), name).toEqual([]);
        await shot(page, `empty-${name}`);
    }
    await context.close();
    await empty.stop();
});
