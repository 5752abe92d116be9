// The window speaks with a real agent: LANYARD_DESK names the socket file of its gateway's local door, LANYARD_WORDS what is said and
// what the answers have in them (see `world.ts`).

import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Carried, carry } from "../desk.ts";
import { complaints, window } from "../window.ts";
import { WORDS, browser, shot } from "../world.ts";

const words = { ...WORDS, ...(JSON.parse(process.env["LANYARD_WORDS"] ?? "{}") as Partial<typeof WORDS>) };

let chrome: Browser;
let desk: Carried;
let context: BrowserContext;
let page: Page;
let said: string[];

beforeAll(async () => {
    chrome = await browser();
    desk = await carry(process.env["LANYARD_DESK"] ?? "");
});

afterAll(async () => {
    await chrome?.close();
    await desk?.stop();
});

beforeEach(async () => {
    context = await window(chrome);
    context.setDefaultTimeout(60_000);
    said = complaints(context);
    page = await context.newPage();
});

afterEach(async ({ task }) => {
    if (task.result?.state === "fail") await shot(page, `failed-desk-${task.name.replaceAll(/\W+/g, "-").slice(0, 60)}`);
    await context.close();
    expect(said).toEqual([]);
});

const go = (path: string) => page.goto(`${desk.url}/#${path}`);

test("a session goes on live, asks, and is found again", async () => {
    await go("/sessions/new");
    await page.getByRole("textbox", { name: "Message" }).fill(words.stream.say);
    await page.keyboard.press("Enter");
    await page.locator(".live").waitFor();
    await page.locator(".item[data-kind=text]").filter({ hasText: words.stream.answer }).last().waitFor();
    await page.getByText(/^Done · /).waitFor();
    await page.getByRole("textbox", { name: "Message" }).fill(words.approve.say);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Allow once" }).click();
    const sure = page.getByRole("button", { name: "Yes, run it" });
    const answered = page.locator(".item[data-kind=text]").filter({ hasText: words.approve.answer });
    await sure.or(answered).first().waitFor();
    // What is risky asks twice.
    if (await sure.isVisible()) await sure.click();
    await answered.waitFor();
    await shot(page, "real-session");
    await page.keyboard.press("Escape");
    await page.getByRole("searchbox").fill(words.approve.answer);
    await page.locator("a.line mark").first().click();
    await page.locator(".item.found").waitFor();
});
