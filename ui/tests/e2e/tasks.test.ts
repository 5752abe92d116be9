// What an owner does with tasks on a phone.

import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Standin } from "./standin/server.ts";
import { type Furnished, PUSH, furnishTasks } from "./standin/tasks.ts";
import { complaints } from "./window.ts";
import { type World, browser, pair, phone, shot, world } from "./world.ts";

let chrome: Browser;
let house: World;
let standin: Standin;
let tasks: Furnished;
let context: BrowserContext;
let page: Page;
let said: string[];

beforeAll(async () => {
    chrome = await browser();
});

afterAll(() => chrome?.close());

beforeEach(async () => {
    house = await world();
    if (!house.standin) throw new Error("The tasks are those of the stand-in: run without LANYARD_URL.");
    standin = house.standin;
    tasks = furnishTasks(standin.house, (session) => void standin.agent.asked(session, null, PUSH));
    context = await phone(chrome);
    said = complaints(context);
    page = await pair(context, house);
    await page.getByRole("button", { name: "Tasks", exact: true }).tap();
    await page.getByRole("heading", { name: "Tasks" }).waitFor();
});

afterEach(async ({ task }) => {
    if (task.result?.state === "fail") await shot(page, `failed-${task.name.replaceAll(/\W+/g, "-").slice(0, 60)}`);
    await context.close();
    await house.stop();
    expect(said).toEqual([]);
});

const queue = () => standin.house.tasks;
const row = (words: string) => page.locator("main li").filter({ hasText: words });

async function write(repository: string, prompt: string): Promise<void> {
    await page.getByRole("button", { name: "New task" }).tap();
    await page.getByLabel("Repository", { exact: true }).fill(repository);
    await page.getByLabel("What should be done?").fill(prompt);
    await page.getByRole("button", { name: "Make the task" }).tap();
}

test("a task is made by a few taps, and is followed to its pull request", async () => {
    await page.getByRole("button", { name: "New task" }).tap();
    await page.getByLabel("Repository", { exact: true }).fill("admin");
    await page.getByRole("option", { name: "acme/shop-admin" }).tap();
    await page.getByLabel("Branch to begin at").tap();
    await page.getByRole("option", { name: "next" }).tap();
    await page.getByLabel("What should be done?").fill("Sort the invoices by date");
    await page.getByText("Budget, priority, time and branch").tap();
    await page.getByLabel("Budget in dollars").fill("2,50");
    await page.getByLabel("Priority").selectOption("high");
    await page.getByRole("button", { name: "Make the task" }).tap();
    await page.getByRole("heading", { name: "Task 9" }).waitFor();
    expect(queue().wished.at(-1)).toMatchObject({ repository: "acme/shop-admin", base: "next", prompt: "Sort the invoices by date", budget_dollars: 2.5, priority: "high" });
    for (const [state, words] of [["starting", "Starting"], ["cloning", "Cloning"], ["working", "Working"], ["pushing", "Pushing"]] as const) {
        queue().become(9, state);
        await page.locator(".line .state").filter({ hasText: words }).waitFor();
    }
    queue().become(9, "done", { result: { base: "next", head: "abc", commits: 1, files: 2, added: 20, removed: 4, summary: "Sorted **by date**.", tests: true, pushed: true, request: { number: 61, url: "https://github.com/acme/shop-admin/pull/61", checks: "running" } } });
    expect(await page.getByRole("link", { name: "#61" }).getAttribute("href")).toBe("https://github.com/acme/shop-admin/pull/61");
    await page.getByText("Checks run").waitFor();
    await page.locator("strong").filter({ hasText: "by date" }).waitFor();
    await page.goBack();
    await row("Sort the invoices").getByText("Done").waitFor();
});

test("a task that needs the owner stands out, and is answered where it is looked at", async () => {
    await row("Release 2.5").tap();
    await page.getByRole("button", { name: "Allow this push" }).tap();
    await page.getByRole("button", { name: "Yes, push it" }).tap();
    await page.getByText("A question is open in its session.").waitFor();
    queue().become(tasks.asks, "working");
    await page.locator(".line .state").filter({ hasText: "Working" }).waitFor();
    await page.getByRole("button", { name: "Open its session" }).tap();
    await page.getByRole("textbox", { name: "Message" }).waitFor();
});

test("a task at work is taken back by a second tap, and runs again with more words", async () => {
    await row("Translate every error").tap();
    await page.getByRole("button", { name: "Take it back" }).tap();
    await page.getByText("Its agent is stopped").waitFor();
    await page.getByRole("button", { name: "Yes, take it back" }).tap();
    await page.locator(".line .state").filter({ hasText: "Taken back" }).waitFor();
    await page.getByRole("button", { name: "Run again…" }).tap();
    await page.getByLabel("More words for the agent").fill("Brazilian, not European");
    await page.getByRole("button", { name: "Run it again" }).tap();
    await page.getByText("Try 2").first().waitFor();
    expect(queue().retried).toEqual([{ words: "Brazilian, not European" }]);
});

test("failed checks are handed back; where there is nothing to hand back, that is said", async () => {
    await row("Fix the failing test").tap();
    await page.getByRole("button", { name: "Hand back checks and comments" }).tap();
    await page.getByText("No check failed, and nobody commented.").waitFor();
    await page.goBack();
    await row("Round prices once").tap();
    await page.getByRole("button", { name: "Hand back checks and comments" }).tap();
    await page.getByText("Try 3").first().waitFor();
    expect(queue().retried).toEqual([{ feedback: true }]);
});

test("a task made offline waits for the line, survives the page, and is made once", async () => {
    await context.setOffline(true);
    await page.getByText(/You are offline/).waitFor();
    await write("acme/shop", "Write the release notes");
    await page.getByText("Waits for the line").waitFor();
    await page.getByText(/One task waits/).waitFor();
    await page.close();
    await context.setOffline(false);
    page = await context.newPage();
    await page.goto(`${house.url}/#/tasks`);
    await row("Write the release notes").getByText("Queued").waitFor();
    await page.getByText("Waits for the line").waitFor({ state: "hidden" });
    expect(queue().newest.filter(({ prompt }) => prompt === "Write the release notes").length).toBe(1);
});

test("a task whose answer was lost on the way is not made twice", async () => {
    let lost = 0;
    await page.route("**/api/tasks", async (route) => {
        if (route.request().method() !== "POST" || lost++ > 0) return route.continue();
        await route.fetch();
        await route.abort();
    });
    await write("acme/shop", "Once and no more");
    await expect.poll(() => queue().wished.length, { timeout: 15_000 }).toBe(10);
    await expect.poll(() => page.getByText("Once and no more").count()).toBeGreaterThan(0);
    expect(new Set(queue().wished.slice(-2).map(({ client_id }) => client_id)).size).toBe(1);
    expect(queue().newest.filter(({ prompt }) => prompt === "Once and no more").length).toBe(1);
});

test("a task that waits is changed or taken back before anybody hears of it", async () => {
    await context.setOffline(true);
    await page.getByText(/You are offline/).waitFor();
    await write("acme/shop", "Do it wrongly");
    await page.getByRole("button", { name: "Change it" }).tap();
    expect(await page.getByLabel("What should be done?").inputValue()).toBe("Do it wrongly");
    await page.getByLabel("What should be done?").fill("Do it rightly");
    await page.getByRole("button", { name: "Make the task" }).tap();
    await page.getByText("Do it rightly").waitFor();
    await page.getByRole("button", { name: "Take back" }).tap();
    await page.getByText("Do it rightly").waitFor({ state: "hidden" });
    await context.setOffline(false);
    await page.getByText(/You are offline/).waitFor({ state: "hidden" });
    expect(queue().newest.length).toBe(8);
});

test("what the gateway refuses stands in the form with its reason", async () => {
    await write("shop", "Fix it");
    await page.getByText("names no repository").waitFor();
    await page.getByLabel("Repository", { exact: true }).fill("acme/shop");
    await page.getByRole("button", { name: "Make the task" }).tap();
    await page.getByRole("heading", { name: "Task 9" }).waitFor();
});
