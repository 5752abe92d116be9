// Every screen of the window in every face: light and dark, at its usual and its smallest size, each without a barrier that axe
// knows. With LANYARD_SHOTS a picture of each is made, to be looked at.

import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DeskStandin } from "./standin/desk.ts";
import { type Rooms, furnish } from "./standin/furnished.ts";
import { Refused } from "./standin/house.ts";
import { type Furnished, PUSH, furnishTasks } from "./standin/tasks.ts";
import { ENLARGED, SMALLEST, USUAL, complaints, inspect, window } from "./window.ts";
import { browser, shot } from "./world.ts";

const DIST = fileURLToPath(new URL("../../dist", import.meta.url));
let chrome: Browser;
let desk: DeskStandin;
let rooms: Rooms;
let tasks: Furnished;

beforeAll(async () => {
    chrome = await browser();
    desk = await DeskStandin.start(DIST);
    rooms = await furnish(desk);
    tasks = furnishTasks(desk.house, (session) => void desk.agent.asked(session, null, PUSH));
});

afterAll(async () => {
    await chrome?.close();
    await desk?.stop();
});

/** All screens, each with its axe; a busy computer takes its time. */
const WALK_MS = 300_000;

type Look = (page: Page) => Promise<void>;

const at = (path: () => string, ...seen: string[]): Look => async (page) => {
    await page.goto(`${desk.url}/#${path()}`);
    for (const words of seen) await page.getByText(words).filter({ visible: true }).first().waitFor();
};

const BROKEN = { from: 4_102, to: 4_117, says: "Rows 4102 to 4117 were taken out." };

const WINDOWS = [{ name: "5 hours", percent: 84.2, resets_at: Date.now() + 95 * 60_000 }, { name: "7 days", percent: 31 }];

/** A screen, and what has to be on it before it is looked at. */
const SCREENS: Record<string, Look> = {
    home: at(() => "/", "Check-up", "Lead it here"),
    "home-code": async (page) => {
        await at(() => "/", "Check-up")(page);
        await page.getByRole("button", { name: "Show the code" }).click();
        await page.getByRole("img", { name: /QR code/ }).scrollIntoViewIfNeeded();
    },
    sessions: at(() => "/sessions", "Fix the failing test"),
    "sessions-search": async (page) => {
        await at(() => "/sessions", "Fix the failing test")(page);
        await page.getByRole("button", { name: "Filter" }).click();
        await page.getByRole("searchbox").fill("invoice");
        await page.locator("mark").first().waitFor();
    },
    session: async (page) => {
        await at(() => `/sessions/${rooms.rich}`, "too much to do")(page);
        await page.waitForFunction(() => [...document.images].every((image) => image.complete));
    },
    "session-diff": async (page) => {
        await at(() => `/sessions/${rooms.rich}`, "too much to do")(page);
        await page.getByRole("main", { name: "History" }).focus();
        await page.keyboard.press("Home");
        await page.waitForFunction(() => document.querySelector("main[aria-label=History]")?.scrollTop === 0);
        await page.locator("summary").filter({ hasText: "Edited" }).press("Enter");
        await page.locator(".diff").waitFor();
    },
    "session-asks": at(() => `/sessions/${rooms.asks}`, "May it work by this plan?", "Waits for your answer"),
    "session-rtl": at(() => `/sessions/${rooms.rtl}`, "أصلح"),
    "session-details": async (page) => {
        await at(() => `/sessions/${rooms.rich}`, "too much to do")(page);
        await page.getByRole("button", { name: "Details" }).click();
        await page.getByRole("dialog").waitFor();
    },
    "session-new": at(() => "/sessions/new", "What should be done?"),
    import: at(() => "/sessions?import", "why does the cart forget"),
    tasks: at(() => "/tasks", "Fix the failing test"),
    "task-done": at(() => `/tasks/${tasks.done}`, "What the agent said"),
    "task-checks": async (page) => {
        await at(() => `/tasks/${tasks.checks}`, "Checks failed")(page);
        await page.getByRole("button", { name: "Run again…" }).click();
        await page.getByLabel("More words for the agent").fill("The totals of refunds are negative.");
        await page.getByText(/^Try 1: /).click();
        await page.getByText(/^Asked for/).scrollIntoViewIfNeeded();
    },
    "task-failed": at(() => `/tasks/${tasks.failed}`, "own tests failed"),
    "task-asks": at(() => `/tasks/${tasks.asks}`, "May it push to a protected branch?"),
    "task-works": at(() => `/tasks/${tasks.works}`, "Using Bash"),
    "task-new": async (page) => {
        await at(() => "/tasks/new", "What should be done?")(page);
        await page.getByLabel("Repository", { exact: true }).fill("acme");
        await page.getByRole("option").first().waitFor();
    },
    "task-new-full": async (page) => {
        await at(() => "/tasks/new", "What should be done?")(page);
        await page.getByLabel("Repository", { exact: true }).fill("shop");
        await page.getByLabel("What should be done?").fill("Fix the failing test in billing.");
        await page.getByText("Budget, priority, time and branch").click();
        await page.getByRole("button", { name: "Make the task" }).click();
        await page.getByText("names no repository").waitFor();
    },
    approvals: at(() => "/approvals", "May this command run?", "Which currency"),
    phones: at(() => "/phones", "Ada’s iPhone", "Lost a phone?", "Tokens for scripts"),
    "phones-end": async (page) => {
        await at(() => "/phones", "Ada’s iPhone")(page);
        await page.getByRole("button", { name: "This was not me" }).first().click();
        await page.getByRole("button", { name: /1 shut out/ }).click();
        await page.getByRole("button", { name: "Lock everything" }).click();
    },
    locked: async (page) => {
        desk.locked = true;
        await at(() => "/", "Everything is locked")(page);
    },
    "phones-locked": async (page) => {
        desk.locked = true;
        await at(() => "/phones", "Everything is locked", "texts begin nothing")(page);
    },
    token: async (page) => {
        await at(() => "/phones", "Ada’s iPhone")(page);
        await page.getByRole("button", { name: "Make a token" }).click();
        await page.getByLabel("What is it for?").fill("nightly");
        await page.getByRole("button", { name: "Make it" }).click();
        await page.getByText("shown this once").waitFor();
    },
    pair: at(() => "/pair", "Works once", "Point the phone"),
    activity: at(() => "/activity", "Today", "All 48 tests pass", "chained to the one before"),
    "activity-whole": async (page) => {
        await at(() => "/activity", "All 48 tests pass")(page);
        await page.getByRole("button", { name: "Check now" }).click();
        await page.getByText("all 12000 rows stand as they were written").waitFor();
    },
    "activity-broken": async (page) => {
        desk.audit = { ...desk.audit, broken: BROKEN };
        await at(() => "/activity", "All 48 tests pass")(page);
        await page.getByRole("button", { name: "Check now" }).click();
        await page.getByText(BROKEN.says).waitFor();
    },
    usage: at(() => "/usage", "By day", "By session"),
    "usage-tokens": async (page) => {
        await at(() => "/usage", "By day")(page);
        await page.getByRole("radio", { name: "Tokens" }).check();
        await page.getByText("Read from cache").first().waitFor();
        const plot = await page.locator("figure svg").first().boundingBox();
        if (plot) await page.mouse.move(plot.x + plot.width * 0.6, plot.y + 100);
    },
    "usage-sessions": async (page) => {
        await at(() => "/usage", "By day")(page);
        await page.getByRole("radio", { name: "Tokens" }).check();
        await page.getByRole("list", { name: "Tokens by session" }).getByText("All others").scrollIntoViewIfNeeded();
    },
    "usage-agents": async (page) => {
        await at(() => "/usage", "By day")(page);
        await page.getByRole("radio", { name: "Agent" }).check();
        await page.getByRole("list", { name: "Money by agent" }).waitFor();
        await page.getByText("All numbers").click();
        await page.getByRole("table").last().scrollIntoViewIfNeeded();
    },
    settings: at(() => "/settings", "This app", "Look"),
    "settings-spending": async (page) => {
        await at(() => "/settings/Spending", "A turn may cost")(page);
        await page.getByLabel("A day may cost").fill("35");
        await page.getByLabel("A day may cost").press("Tab");
        await page.getByText("One setting is changed").waitFor();
    },
    "settings-refused": async (page) => {
        await at(() => "/settings/Spending", "A turn may cost")(page);
        await page.getByLabel("A turn may cost").fill("much");
        await page.getByRole("button", { name: "Save" }).click();
        await page.getByText("has to be a number").waitFor();
    },
    "home-subscription": async (page) => {
        desk.windows = WINDOWS;
        await at(() => "/", "84 % of 5 hours", "31 % of 7 days", "5 hours begin anew in")(page);
        await page.getByText("84 % of 5 hours").scrollIntoViewIfNeeded();
    },
    "usage-subscription": async (page) => {
        desk.windows = WINDOWS;
        await at(() => "/", "84 % of 5 hours")(page);
        await at(() => "/usage", "its windows are what counts")(page);
    },
    "settings-approvals": async (page) => {
        await at(() => "/settings/Approvals", "PIN for phones", "Allowed always", "Bash(npm test *)")(page);
        await page.getByText("Bash(npm test *)").scrollIntoViewIfNeeded();
    },
    "settings-hosts": async (page) => {
        await at(() => "/settings/Sandbox", "Hosts the sandbox may reach", "files.example.net")(page);
        await page.getByLabel("Allow a host in every session").scrollIntoViewIfNeeded();
    },
    "settings-hosts-refused": async (page) => {
        await at(() => "/settings/Sandbox", "files.example.net")(page);
        await page.getByLabel("Allow a host in every session").fill("*.example.com");
        await page.keyboard.press("Enter");
        await page.getByText("Whole domains are rules").waitFor();
        await page.getByText("Whole domains are rules").scrollIntoViewIfNeeded();
    },
    accounts: at(() => "/settings/accounts", "Anthropic", "The keychain is locked"),
    "setup-key": at(() => "/setup/key", "The key works"),
    "setup-texting": async (page) => {
        await at(() => "/setup/texting", "Account SID")(page);
        await page.getByLabel("Account SID").fill(`AC${"0".repeat(32)}`);
        await page.getByLabel("Auth token").fill("secret");
        await page.getByRole("button", { name: "Check and keep" }).click();
        await page.getByText("Which number?").waitFor();
        await page.getByText("+15550100123").first().waitFor();
    },
    "setup-allow": at(() => "/setup/allow", "Numbers that may text"),
    "setup-done": at(() => "/setup/done", "That is all for now"),
    palette: async (page) => {
        await at(() => "/", "Check-up")(page);
        await page.keyboard.press("Control+k");
        await page.getByRole("combobox").fill("se");
        await page.getByRole("option").first().waitFor();
    },
    keys: async (page) => {
        await at(() => "/", "Check-up")(page);
        await page.keyboard.press("?");
        await page.getByRole("dialog", { name: "Keys" }).waitFor();
    },
};

async function walk(scheme: "light" | "dark", size: typeof USUAL, suffix: string, names = Object.keys(SCREENS)): Promise<Record<string, string[]>> {
    const context = await window(chrome, scheme, size);
    const said = complaints(context);
    const page = await context.newPage();
    const found: Record<string, string[]> = {};
    for (const name of names) {
        await page.goto("about:blank");
        desk.locked = false;
        desk.windows = [];
        desk.audit = { ...desk.audit, broken: null };
        try {
            await SCREENS[name]?.(page);
        } catch (error) {
            found[name] = [String(error).split("\n")[0] ?? ""];
        }
        const wrong = await inspect(page);
        if (wrong.length > 0) found[name] = [...(found[name] ?? []), ...wrong];
        await shot(page, `${name}-${suffix}`);
    }
    await context.close();
    if (said.length > 0) found["complaints"] = said;
    return found;
}

for (const scheme of ["light", "dark"] as const) {
    test(`no screen has a barrier, in ${scheme}`, async () => {
        expect(await walk(scheme, USUAL, scheme)).toEqual({});
    }, WALK_MS);
}

test("no screen has a barrier at its smallest", async () => {
    expect(await walk("light", SMALLEST, "small")).toEqual({});
}, WALK_MS);

test("no screen has a barrier where everything is made twice as large", async () => {
    expect(await walk("light", ENLARGED, "360")).toEqual({});
}, WALK_MS);

test("a house with nothing in it says how to begin", async () => {
    const empty = await DeskStandin.start(DIST);
    empty.steps = (["docker", "image", "key", "tunnel", "texting", "allow", "phone"] as const).map((id) => ({ id, state: id === "docker" ? "broken" : "todo", says: id === "docker" ? "Docker does not answer." : "Not there yet.", ...(id === "docker" ? { suggestion: "Install and start it." } : {}) }));
    empty.image = { state: "missing", says: "It was not built yet." };
    empty.texting = { set_up: false };
    empty.settings = desk.settings;
    const context = await window(chrome);
    const page = await context.newPage();
    const seen = { "": "Set Lanyard up", sessions: "No sessions yet", tasks: "No tasks yet", approvals: "Nothing waits for you", phones: "No phone is paired", activity: "Nothing happened yet", usage: "Nothing was spent", "settings/Sandbox": "A host comes to stand here", "sessions?import": "has kept nothing", "setup/docker": "Docker does not answer", "setup/image": "Build it", "setup/tunnel": "free account at ngrok" };
    for (const [path, words] of Object.entries(seen)) {
        await page.goto("about:blank");
        await page.goto(`${empty.url}/#/${path}`);
        await page.getByText(words).first().waitFor();
        expect(await inspect(page), path).toEqual([]);
        await shot(page, `empty-${path.replaceAll(/\W/g, "-") || "home"}`);
    }
    await context.close();
    await empty.stop();
});

test("what fails says why, and is asked for again", async () => {
    const context = await window(chrome);
    const page = await context.newPage();
    const paths = { home: "", doctor: "", phones: "phones", activity: "activity", usage: "usage", settings: "settings", "api/sessions": "sessions", import: "sessions?import", accounts: "settings/accounts", hosts: "settings/Sandbox", rules: "settings/Approvals", pin: "settings/Approvals", pairing: "pair" };
    for (const [route, path] of Object.entries(paths)) {
        desk.refuse.set(`GET /${route}`, new Refused(500, "DATABASE_DAMAGED", "The database is damaged.", "Restore the last backup."));
        await page.goto("about:blank");
        await page.goto(`${desk.url}/#/${path}`);
        await page.getByText("The database is damaged.").first().waitFor();
        expect(await inspect(page), route).toEqual([]);
        await shot(page, `failed-${route.replace("/", "-")}`);
        desk.refuse.clear();
        await page.getByRole("button", { name: /Try again/ }).first().click();
        await page.getByText("The database is damaged.").first().waitFor({ state: "hidden" });
    }
    await context.close();
});

test("with Lanyard gone every screen keeps what it has and says so, and goes on by itself", async () => {
    const context = await window(chrome);
    const page = await context.newPage();
    await SCREENS["session"]?.(page);
    desk.dead = true;
    desk.cut();
    await page.getByText("Lanyard does not answer.").first().waitFor();
    for (const [name, words] of Object.entries({ approvals: "May this command run?", phones: "Lanyard does not answer", usage: "Lanyard does not answer", activity: "Lanyard does not answer" })) {
        await page.evaluate((path) => (location.hash = `/${path}`), name);
        await page.getByText(words).nth(name === "approvals" ? 0 : 1).waitFor();
        expect(await inspect(page), name).toEqual([]);
        await shot(page, `gone-${name}`);
    }
    desk.dead = false;
    await page.getByText("By day").or(page.getByText("All 48 tests pass").first()).first().waitFor({ timeout: 40_000 });
    await context.close();
});
