// What an owner does at the desk, step by step, in the window.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { scan } from "./camera.ts";
import { DeskStandin } from "./standin/desk.ts";
import { furnish, type Rooms } from "./standin/furnished.ts";
import { complaints, window } from "./window.ts";
import { WORDS, browser, shot } from "./world.ts";

let chrome: Browser;
let desk: DeskStandin;
let rooms: Rooms;
let context: BrowserContext;
let page: Page;
let said: string[];

beforeAll(async () => {
    chrome = await browser();
});

afterAll(() => chrome?.close());

beforeEach(async () => {
    desk = await DeskStandin.start(fileURLToPath(new URL("../../dist", import.meta.url)));
    rooms = await furnish(desk);
    desk.agent.pace = 15;
    context = await window(chrome);
    said = complaints(context);
    page = await context.newPage();
    await page.goto(desk.url);
    await page.getByRole("heading", { name: "Home" }).waitFor();
});

afterEach(async ({ task }) => {
    if (task.result?.state === "fail") await shot(page, `failed-${task.name.replaceAll(/\W+/g, "-").slice(0, 60)}`);
    await context.close();
    await desk.stop();
    expect(said).toEqual([]);
});

const asked = (what: string) => desk.done.filter((one) => one.what.startsWith(what)).map(({ body }) => body);
const answer = (words: string) => page.locator(".item[data-kind=text]").filter({ hasText: words }).last().waitFor();

test("a session begins with the first words, and its answer is written before one's eyes", async () => {
    await page.keyboard.press("c");
    await page.getByRole("textbox", { name: "Message" }).fill(WORDS.stream.say);
    await page.keyboard.press("Enter");
    await page.locator(".live").waitFor();
    await answer(WORDS.stream.answer);
    await page.getByText(/^Done · /).waitFor();
    expect(await page.locator(".item[data-kind=said]").count()).toBe(1);
    expect(page.url()).toMatch(/#\/sessions\/[0-9a-f-]{36}$/);
});

test("a picture goes with the words, and is shown with them", async () => {
    await page.keyboard.press("c");
    await page.getByLabel("Add a picture").setInputFiles(fileURLToPath(new URL("../../public/icons/512.png", import.meta.url)));
    await page.getByRole("button", { name: "Remove the picture" }).waitFor();
    await page.getByRole("textbox", { name: "Message" }).fill(WORDS.stream.say);
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => [...document.images].some((image) => image.alt === "A picture you sent" && image.naturalWidth === 512));
});

test("words go into the running turn, and it is stopped", async () => {
    await page.goto(`${desk.url}/#/sessions/new`);
    await page.getByRole("textbox", { name: "Message" }).fill(WORDS.long.say);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Stop" }).waitFor();
    await page.getByRole("textbox", { name: "Message" }).fill("Mind the rounding");
    await page.getByRole("radio", { name: "Into this turn" }).check();
    await page.getByRole("button", { name: "Steer" }).click();
    await page.locator(".item[data-kind=said]").filter({ hasText: "Mind the rounding" }).getByText("into the running turn").waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText(/^You stopped it/).waitFor();
});

test("what is asked is counted, shown to the letter, and allowed in two presses where it is risky", async () => {
    await page.getByRole("link", { name: /^Approvals/ }).click();
    const first = page.locator("li.card").first();
    await first.getByText("git push --force origin billing-fix").waitFor();
    await first.getByRole("button", { name: "Allow once" }).click();
    await first.getByRole("button", { name: "Yes, run it" }).click();
    await page.getByText("Settled just now").waitFor();
    expect([...desk.house.approvals.values()].find((one) => one.risk === "high")?.state).toBe("allowed");
    await page.getByRole("link", { name: "Approvals 4 open" }).waitFor();
});

test("a code is read by a camera; who pairs shows at once, and is taken back", async () => {
    await page.goto(`${desk.url}/#/pair`);
    const code = page.getByRole("img", { name: /QR code/ });
    await code.waitFor();
    const picture = `data:image/png;base64,${(await code.screenshot()).toString("base64")}`;
    const free = await chrome.newContext();
    expect(await scan(free, picture)).toMatch(/^https:\/\/brave-otter-12\.ngrok\.app\/pair#c=[\w-]{22}$/);
    await free.close();
    desk.pairs("A thief’s phone");
    await page.getByText("A thief’s phone").waitFor();
    await page.getByRole("button", { name: "This was not me" }).click();
    await page.getByText("was shut out again").waitFor();
    expect(asked("POST /phones/").length).toBe(1);
});

test("a phone is renamed, limited, and shut out after a second press", async () => {
    await page.goto(`${desk.url}/#/phones`);
    const card = page.locator("li.card").filter({ hasText: "Ada’s iPhone" });
    await card.getByRole("button", { name: "Rename" }).click();
    await page.getByLabel("Its name").fill("Ada’s new iPhone");
    await page.getByRole("button", { name: "Save" }).click();
    const renamed = page.locator("li.card").filter({ hasText: "Ada’s new iPhone" });
    await renamed.getByLabel("Answer approvals").uncheck();
    await expect.poll(() => desk.phones.find(({ name }) => name === "Ada’s new iPhone")?.scopes).toEqual(["read", "chat"]);
    await renamed.getByRole("button", { name: "Shut it out" }).click();
    await renamed.getByRole("button", { name: "Shut it out" }).click();
    await page.getByRole("button", { name: /2 shut out/ }).waitFor();
});

test("what is broken is mended by its button", async () => {
    await page.getByRole("button", { name: "Lead it here" }).click();
    await page.getByText("4.1 GB are free.").waitFor();
    await page.getByRole("button", { name: "Lead it here" }).waitFor({ state: "hidden" });
    expect(asked("POST /mend/webhook.set").length).toBe(1);
});

test("the sandbox is paused and resumed, and the side bar says so", async () => {
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByRole("button", { name: "Pause" }).waitFor();
    expect(desk.done.map(({ what }) => what)).toEqual(["POST /sandbox/pause", "POST /sandbox/resume"]);
});

test("a setting is changed, refused in place, mended, saved, and takes its restart", async () => {
    await page.goto(`${desk.url}/#/settings/Agent`);
    await page.getByRole("switch", { name: "Keep one ready" }).click();
    await page.goto(`${desk.url}/#/settings/Spending`);
    await page.getByLabel("A day may cost").fill("much");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("has to be a number").waitFor();
    await page.getByLabel("A day may cost").fill("35");
    await page.getByLabel("A day may cost").press("Tab");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("button", { name: "Restart now" }).click();
    await page.getByRole("button", { name: "Restart now" }).waitFor({ state: "hidden" });
    expect(asked("PATCH /settings").at(-1)).toEqual({ agent: { warm: false }, spend: { day: 35 } });
    await expect.poll(() => page.locator(".window").getAttribute("data-line")).toBe("live");
});

test("a host is refused with its reason, then allowed, and taken back; all by the keyboard", async () => {
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("hosts");
    await page.keyboard.press("Enter");
    const hosts = page.getByRole("region", { name: "Hosts the sandbox may reach" });
    await hosts.getByText("In session 6 · allowed 12 min ago · by your answer to approval 9").waitFor();
    const field = hosts.getByLabel("Allow a host in every session");
    await field.focus();
    await page.keyboard.type("*.example.com");
    await page.keyboard.press("Enter");
    await expect.poll(() => field.getAttribute("aria-invalid")).toBe("true");
    expect(await hosts.getByRole("alert").innerText()).toMatch(/Whole domains are rules of the config\..*egress\.allow.*BAD_REQUEST/s);
    await page.keyboard.press("Control+a");
    await page.keyboard.type("git.example.com:22");
    await hosts.getByRole("alert").waitFor({ state: "detached" });
    await page.keyboard.press("Enter");
    await hosts.getByText("git.example.com:22 is allowed in every session.").waitFor();
    expect(await hosts.getByRole("listitem").first().innerText()).toMatch(/git\.example\.com:22\s+In every session · allowed just now · by hand/);
    await hosts.getByRole("button", { name: "Take back git.example.com:22 in every session" }).press("Enter");
    await hosts.getByText("git.example.com:22 was taken back.").waitFor();
    expect(await hosts.getByRole("heading", { level: 2 }).evaluate((heading) => heading === document.activeElement)).toBe(true);
    expect(asked("POST /hosts")).toEqual([{ host: "*.example.com" }, { host: "git.example.com:22" }, null]);
    await hosts.getByRole("link", { name: "session 6" }).click();
    await page.getByRole("heading", { name: "Push the fix" }).waitFor();
});

test("what was allowed always is taken back, and a PIN is set, refused and removed; all by the keyboard", async () => {
    await page.goto(`${desk.url}/#/settings/Approvals`);
    const rules = page.getByRole("region", { name: "Allowed always" });
    await rules.getByText("Edit(/workspace/docs/<U+202E>*)").waitFor();
    await rules.getByRole("button", { name: "Take back Bash(npm test *) in session 6" }).press("Enter");
    await rules.getByText("Bash(npm test *) was taken back in session 6.").waitFor();
    expect(asked("POST /rules/forget")).toEqual([{ session: 6, exact: "Bash(npm test *)" }]);
    expect(await rules.getByRole("listitem").count()).toBe(1);
    const pin = page.getByRole("region", { name: "PIN for phones" });
    await pin.getByText("No PIN is set.").waitFor();
    await pin.getByLabel("Set a PIN").fill("1234567890123");
    await page.keyboard.press("Enter");
    await pin.getByRole("alert").waitFor();
    await pin.getByLabel("Set a PIN").fill("2468");
    await page.keyboard.press("Enter");
    await pin.getByText("A PIN is set.").waitFor();
    expect(await pin.getByLabel("Another PIN").inputValue()).toBe("");
    await pin.getByRole("button", { name: "Remove" }).press("Enter");
    await pin.getByText("No PIN is set.").waitFor();
});

test("a host that is always allowed by an answer comes into the list", async () => {
    desk.hosts = [];
    await page.goto(`${desk.url}/#/settings/Sandbox`);
    await page.getByText("A host comes to stand here").waitFor();
    const approval = [...desk.house.approvals.values()].find(({ kind }) => kind === "host");
    desk.hosts = [{ id: 5, host: "files.example.net", at: Date.now(), session: null, approval: approval?.number ?? 0 }];
    desk.house.settle(approval?.id ?? "", "allowed", "Ada’s iPhone");
    await page.getByText(`by your answer to approval ${approval?.number}`).waitFor();
});

test("the audit is looked through at a press, stays told, is loud where it is broken, and is taken along as a file", async () => {
    desk.audit = { rows: 3, signed: 3, cut: null, broken: null };
    await page.goto(`${desk.url}/#/activity`);
    const audit = page.getByRole("region", { name: "Audit" });
    await audit.getByText("A check tells whether").waitFor();
    expect(asked("POST /audit/verify")).toEqual([]);
    await audit.getByRole("button", { name: "Check now" }).press("Enter");
    await audit.getByText("Whole: all 3 rows stand as they were written, signed up to row 3.").waitFor();
    await page.goto(`${desk.url}/#/usage`);
    await page.getByRole("heading", { name: "Usage", level: 1 }).waitFor();
    await page.goto(`${desk.url}/#/activity`);
    await audit.getByText("Checked just now").waitFor();
    expect(asked("POST /audit/verify").length).toBe(1);
    desk.audit = { rows: 3, signed: 5, cut: null, broken: { from: 4, to: 5, says: "Rows 4 to 5 were cut off at the end." } };
    await audit.getByRole("button", { name: "Check now" }).click();
    expect(await audit.getByRole("alert").innerText()).toContain("The audit was tampered with. Rows 4 to 5 were cut off at the end.");
    await audit.getByText("Its last row is 3, signed up to row 5.").waitFor();
    expect(await audit.getByText("Whole").count()).toBe(0);
    const [file] = await Promise.all([page.waitForEvent("download"), audit.getByRole("link", { name: "Export" }).click()]);
    expect(file.suggestedFilename()).toBe("lanyard-audit.jsonl");
    const lines = readFileSync(await file.path(), "utf8").trim().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { id: number }).id)).toEqual([1, 2, 3]);
});

test("texting is set up from the account to the first text answered", async () => {
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByLabel("Account SID").fill(`AC${"0".repeat(32)}`);
    await page.getByLabel("Auth token").fill("a-secret");
    await page.getByRole("button", { name: "Check and keep" }).click();
    await page.getByRole("button", { name: "Use it" }).first().click();
    await page.getByRole("button", { name: "Set the webhook and prove it" }).click();
    await page.getByRole("button", { name: "Next: Your number" }).click();
    await page.getByLabel("Numbers that may text").fill("+1 (555) 010-0199");
    await page.getByRole("button", { name: "Allow them" }).click();
    await page.getByRole("button", { name: "Text me" }).click();
    await page.getByText("You answered: both ways work.").waitFor();
    await page.getByRole("button", { name: "Finish" }).click();
    await page.getByText("Everything is set up").waitFor();
    expect(asked("POST /twilio/allow")).toEqual([{ numbers: ["+15550100199"] }]);
    expect(await page.content()).not.toContain("a-secret");
});

test("a key that is refused says why, and the right one is kept", async () => {
    desk.steps = desk.steps.map((step) => (step.id === "key" ? { ...step, state: "todo", says: "There is no key yet." } : step));
    await page.goto(`${desk.url}/#/setup/key`);
    await page.getByLabel("API key or token").fill("sk-ant-wrong");
    await page.getByRole("button", { name: "Check and keep" }).click();
    await page.getByText("Anthropic refused the key.").waitFor();
    await page.getByLabel("API key or token").fill("sk-ant-right");
    await page.getByRole("button", { name: "Check and keep" }).click();
    await page.getByText("It works.").waitFor();
});

test("a sign-in shows its code until the owner has answered at the other page", async () => {
    await page.goto(`${desk.url}#/settings/accounts`);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("WDJB-MJHT").waitFor();
    await shot(page, "sign-in");
    desk.grant(false);
    await page.getByText("The owner said no.").waitFor();
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("WDJB-MJHT").waitFor();
    desk.grant(true);
    await page.getByText("GitHub takes it: it is ada’s.").waitFor();
    await page.getByRole("button", { name: "Sign in again" }).waitFor();
});

test("a step is skipped, and taken up again", async () => {
    await page.goto(`${desk.url}/#/setup/texting`);
    await page.getByRole("button", { name: "Skip it" }).click();
    await page.getByRole("heading", { name: "Your number" }).waitFor();
    await page.goto(`${desk.url}/#/setup/texting`);
    await page.getByRole("button", { name: "Take it up again" }).click();
    await page.getByRole("button", { name: "Skip it" }).waitFor();
});

test("what is chosen to be plotted is plotted by day, by session and by agent, and a session's bar leads to it", async () => {
    await page.goto(`${desk.url}/#/usage`);
    const bars = async (name: string) => (await page.getByRole("list", { name }).getByRole("listitem").allInnerTexts()).map((bar) => bar.replaceAll(/\s+/g, " "));
    await page.getByRole("list", { name: "Money by session" }).waitFor();
    const [first] = await bars("Money by session");
    expect(first).toMatch(/\$6\.00$/);
    expect((await bars("Money by session")).at(-1)).toMatch(/^All others \$1\.81$/);
    await page.getByRole("radio", { name: "Time" }).check();
    await page.getByRole("img", { name: /^Time by day/ }).waitFor();
    expect((await bars("Time by session"))[0]).toMatch(/24 min$/);
    await page.getByRole("radio", { name: "Agent" }).check();
    await page.getByRole("list", { name: "Time by agent" }).waitFor();
    expect(await bars("Time by agent")).toEqual(["claude 56 min", "reviewer 12 min 48 s"]);
    await page.getByRole("radio", { name: "Session" }).check();
    await page.getByRole("list", { name: "Time by session" }).getByRole("link", { name: "Fix the failing test in billing" }).click();
    await page.getByText("too much to do").waitFor();
});

test("everything is reached by the keyboard alone", async () => {
    for (const [keys, heading] of [["g s", "Sessions"], ["g a", "Approvals"], ["g p", "Phones"], ["g l", "Activity"], ["g u", "Usage"], ["g ,", "Settings"], ["g q", "Pair a phone"], ["g h", "Home"]] as const) {
        for (const key of keys.split(" ")) await page.keyboard.press(key);
        await page.getByRole("heading", { name: heading, exact: true, level: 1 }).waitFor();
    }
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("failing test");
    await page.keyboard.press("Enter");
    await page.getByText("too much to do").waitFor();
    expect(page.url()).toContain(rooms.rich);
    await page.keyboard.press("/");
    await page.keyboard.type("invoice");
    await page.locator("mark").first().waitFor();
    await page.keyboard.press("Escape");
    await page.locator("a.line").first().focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog", { name: "Keys" }).waitFor({ state: "hidden" });
});

test("the look is chosen, and kept", async () => {
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.goto(`${desk.url}/#/settings`);
    await page.getByRole("radio", { name: "Dark" }).check();
    await expect.poll(ground).not.toBe(light);
    const dark = await ground();
    await page.reload();
    await page.getByRole("radio", { name: "Dark" }).waitFor();
    await expect.poll(ground).toBe(dark);
});

test("Claude Code's own history is taken over", async () => {
    await page.goto(`${desk.url}/#/sessions?import`);
    await page.getByLabel(/All 2 that/).check();
    await page.getByRole("button", { name: "Import 2" }).click();
    await page.getByText("2 conversations were imported").waitFor();
});

test("an import says how far it is, and is stopped", async () => {
    const more = (n: number) => ({ path: `/home/ada/.claude/projects/shop/${n}.jsonl`, project: "~/shop", first_words: `Conversation ${n}`, at: Date.now() - n * 3_600_000, events: 40, known: false });
    desk.importable = Array.from({ length: 30 }, (_, n) => more(n));
    desk.importPace = 700;
    await page.goto(`${desk.url}/#/sessions?import`);
    await page.getByLabel(/All 30 that/).check();
    await page.getByRole("button", { name: "Import 30" }).click();
    await page.getByText("1 of 30 done, 40 events").waitFor();
    await shot(page, "import-runs");
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("Stopping after this one").waitFor();
    await page.getByText(/Stopped: \d+ conversations were imported|Stopped: One conversation was imported/).waitFor();
    await shot(page, "import-stopped");
    expect(desk.importable.filter(({ known }) => known).length).toBeLessThan(30);
});

test("a session is renamed, tagged, taken along as a file, and closed", async () => {
    await page.goto(`${desk.url}/#/sessions/${rooms.rich}`);
    await page.getByRole("button", { name: "Details" }).click();
    await page.getByLabel("Title").fill("Billing, fixed");
    await page.getByLabel("Tags, with commas between them").fill("billing, done");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "Billing, fixed" }).waitFor();
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Markdown" }).click()]);
    expect(file.suggestedFilename()).toMatch(/\.md$/);
    await page.getByRole("button", { name: "Close this session" }).click();
    await page.getByRole("button", { name: "Yes, close it" }).click();
    await page.getByText("This session was closed.").waitFor();
});
