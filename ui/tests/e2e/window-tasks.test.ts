// What an owner does with tasks at the desk.

import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { DeskStandin } from "./standin/desk.ts";
import { Refused } from "./standin/house.ts";
import { type Furnished, PUSH, furnishTasks } from "./standin/tasks.ts";
import { complaints, window } from "./window.ts";
import { browser, shot } from "./world.ts";

let chrome: Browser;
let desk: DeskStandin;
let tasks: Furnished;
let context: BrowserContext;
let page: Page;
let said: string[];

beforeAll(async () => {
    chrome = await browser();
});

afterAll(() => chrome?.close());

beforeEach(async () => {
    desk = await DeskStandin.start(fileURLToPath(new URL("../../dist", import.meta.url)));
    tasks = furnishTasks(desk.house, (session) => void desk.agent.asked(session, null, PUSH));
    context = await window(chrome);
    said = complaints(context);
    page = await context.newPage();
    await page.goto(`${desk.url}/#/tasks`);
    await page.getByRole("heading", { name: "Tasks" }).waitFor();
});

afterEach(async ({ task }) => {
    if (task.result?.state === "fail") await shot(page, `failed-${task.name.replaceAll(/\W+/g, "-").slice(0, 60)}`);
    await context.close();
    await desk.stop();
    expect(said).toEqual([]);
});

const line = (words: string) => page.locator("a.line").filter({ hasText: words });

test("tasks stand beside the one that is looked at, and both change as it goes on", async () => {
    await page.getByText("1 needs you · 1 at work · 2 queued").waitFor();
    await page.getByRole("link", { name: "Tasks 2 at work" }).waitFor();
    await line("Why is the build slow").click();
    await page.getByRole("heading", { name: "Task 8" }).waitFor();
    desk.house.tasks.become(8, "starting");
    await page.getByText("1 needs you · 2 at work · 1 queued").waitFor();
    await page.locator("main .line .state").filter({ hasText: "Starting" }).waitFor();
});

test("a task is made by the keyboard alone", async () => {
    await page.keyboard.press("n");
    await page.getByLabel("Repository", { exact: true }).focus();
    await page.keyboard.type("dot");
    await page.getByRole("option", { name: "acme/dotfiles" }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    expect(await page.getByLabel("Repository", { exact: true }).inputValue()).toBe("acme/dotfiles");
    await page.keyboard.press("Tab");
    await page.getByRole("option", { name: "main" }).waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.type("Sort the aliases");
    await page.getByRole("button", { name: "Make the task" }).press("Enter");
    await page.getByRole("heading", { name: "Task 9" }).waitFor();
    expect(desk.house.tasks.wished.at(-1)).toMatchObject({ repository: "acme/dotfiles", prompt: "Sort the aliases" });
    expect(page.url()).toMatch(/#\/tasks\/9$/);
});

test("a forge that says nothing keeps nobody from typing", async () => {
    desk.refuse.set("GET /api/repositories", new Refused(401, "NO_FORGE", "There is no token for this forge yet.", "Keep one."));
    await page.getByRole("button", { name: "New task" }).click();
    await page.getByLabel("Repository", { exact: true }).fill("acme/other");
    await page.getByText("Nothing to choose from: There is no token for this forge yet.").waitFor();
    await page.getByLabel("What should be done?").fill("Fix it");
    await page.getByRole("button", { name: "Make the task" }).click();
    await page.getByRole("heading", { name: "Task 9" }).waitFor();
});

test("what is asked is answered in the task; it is taken back, and runs again", async () => {
    await line("Release 2.5").click();
    await page.getByText("May it push to a protected branch?").waitFor();
    await page.getByRole("button", { name: "Take it back" }).click();
    await page.getByRole("button", { name: "Yes, take it back" }).click();
    await page.getByText("May it push to a protected branch?").waitFor({ state: "hidden" });
    await page.getByRole("button", { name: "Run again…" }).click();
    await page.getByRole("button", { name: "Run it again" }).click();
    await page.getByText("Try 2").first().waitFor();
    expect(desk.house.tasks.retried).toEqual([{}]);
});

test("a task leads to its session", async () => {
    await page.goto(`${desk.url}/#/tasks/${tasks.done}`);
    await page.getByRole("button", { name: "Open its session" }).click();
    await page.getByRole("heading", { name: "Task 1 in its sandbox" }).waitFor();
});

test("older tasks come by the page", async () => {
    for (let n = 0; n < 100; n++) desk.house.tasks.make({ repository: "acme/shop", prompt: `Chore ${n}` }, "api");
    await page.reload();
    await line("Chore 99").waitFor();
    await page.getByRole("region", { name: "The list of tasks" }).evaluate((list) => (list.scrollTop = list.scrollHeight));
    await line("Chore 60").waitFor();
    await expect
        .poll(async () => {
            await page.getByRole("region", { name: "The list of tasks" }).evaluate((list) => (list.scrollTop = list.scrollHeight));
            return line("Fix the failing test").count();
        })
        .toBe(1);
});
