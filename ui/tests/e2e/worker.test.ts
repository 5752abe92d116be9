// The page as an installed thing: it opens without a line, and takes a newer version of itself when it is told to.

import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { Standin } from "./standin/server.ts";
import { type World, browser, pair, phone, say, shot } from "./world.ts";

let chrome: Browser;
let dist: string;
let standin: Standin;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
    chrome = await browser();
});

afterAll(() => chrome?.close());

beforeEach(async () => {
    dist = join(mkdtempSync(join(tmpdir(), "lanyard-page-")), "dist");
    cpSync(new URL("../../dist", import.meta.url), dist, { recursive: true });
    standin = await Standin.start(dist);
    context = await phone(chrome, "light", "allow");
    page = await pair(context, { url: standin.url, code: async () => standin.house.code() } as World);
    await page.evaluate(() => navigator.serviceWorker.ready);
});

afterEach(async () => {
    await context.close();
    await standin.stop();
});

test("with the computer asleep the page opens, with what it has", async () => {
    await say(page, "Fix the failing test in billing");
    await page.getByText(/^Done · /).waitFor();
    standin.dead = true;
    standin.cut();
    await page.reload();
    await page.locator("li[data-kind=text]").filter({ hasText: "All 48 tests pass" }).waitFor();
    await page.getByText(/Your computer does not answer/).waitFor();
    await say(page, "Said to a sleeping computer");
    await page.getByText("Said to a sleeping computer").waitFor();
    await page.reload();
    await page.getByText("Said to a sleeping computer").waitFor();
    standin.dead = false;
    await page.locator("li[data-kind=said]").filter({ hasText: "Said to a sleeping computer" }).waitFor();
    expect([...standin.house.events].filter((e) => JSON.stringify(e).includes("sleeping computer")).length).toBe(1);
});

test("a newer page is offered, and taken when a person says so", async () => {
    const worker = join(dist, "sw.js");
    writeFileSync(worker, `${readFileSync(worker, "utf8").replaceAll(/lanyard-page-[0-9a-f]{12}/g, "lanyard-page-000000000000")}\n`);
    await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());
    await page.reload();
    await page.getByText("A newer page is ready.").waitFor();
    await page.getByRole("button", { name: "Reload" }).tap();
    await page.getByText("A newer page is ready.").waitFor({ state: "hidden" });
    const caches = await page.evaluate(() => globalThis.caches.keys());
    expect(caches).toEqual(["lanyard-page-000000000000"]);
});

test("nothing that the API says is kept by the worker", async () => {
    await say(page, "Fix the failing test in billing");
    await page.getByText(/^Done · /).waitFor();
    const kept = await page.evaluate(async () => {
        const all = await Promise.all((await caches.keys()).map(async (name) => (await caches.open(name)).keys()));
        return all.flat().map((request) => new URL(request.url).pathname);
    });
    expect(kept.filter((path) => path.startsWith("/api/"))).toEqual([]);
    expect(kept).toContain("/");
});

test("the first load is under 165 kB on the wire, with all that the worker keeps, and no asset comes twice", async () => {
    const kept = () => page.evaluate(async () => (await (await caches.open((await caches.keys())[0] ?? "")).keys()).length);
    await expect.poll(kept).toBeGreaterThan(5);
    const assets = standin.sent.map(({ path }) => path).filter((path) => path.startsWith("/assets/"));
    expect(assets.length).toBe(new Set(assets).size);
    expect(standin.sent.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(165_000);
});

test("with the computer asleep and nothing kept, the screens say why and try again", async () => {
    standin.dead = true;
    standin.cut();
    for (const name of ["sessions", "approvals"]) {
        await page.goto(`${standin.url}/#/${name}`);
        await page.reload();
        for (const colorScheme of ["light", "dark"] as const) {
            await page.emulateMedia({ colorScheme });
            await page.getByRole("heading", { name: "Your computer does not answer" }).waitFor();
            await shot(page, `failed-${name}-${colorScheme}`);
        }
    }
    standin.dead = false;
    await page.getByRole("button", { name: "Try again" }).tap();
    await page.getByText("Nothing needs you").waitFor();
});
