// One gateway at two addresses, one of them nearer: the phone takes that, and goes on by the other when it is cut.

import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { Standin } from "./standin/server.ts";
import { type World, WORDS, browser, pair, phone, say, shot } from "./world.ts";

let chrome: Browser;
let far: Standin;
let near: Standin;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
    chrome = await browser();
});

afterAll(() => chrome?.close());

beforeEach(async () => {
    far = await Standin.start(fileURLToPath(new URL("../../dist", import.meta.url)));
    near = await far.another();
    Object.assign(far.house, { lan: [near.url], tunnel: far.url });
    context = await phone(chrome, "light", "allow");
});

afterEach(async () => {
    await context.close();
    await Promise.all([far.stop(), near.stop()]);
});

async function begin(): Promise<void> {
    page = await pair(context, { url: far.url, code: async () => far.house.code() } as World);
}

async function until(holds: () => boolean): Promise<void> {
    const deadline = Date.now() + 15_000;
    while (!holds()) {
        if (Date.now() > deadline) throw new Error(`never: ${holds}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
}

/** Where words come from while they are written, and what is there at the end. */
async function cutInTheMiddle(one: Standin, other: Standin): Promise<void> {
    await page.goto(`${far.url}/#/chat/new`);
    await say(page, WORDS.long.say);
    await page.locator(".live").waitFor();
    await until(() => one.lines === 1);
    one.dead = true;
    other.dead = false;
    one.cut();
    await until(() => other.lines === 1);
    await page.locator("li[data-kind=text]").filter({ hasText: WORDS.long.answer }).waitFor();
    await page.getByText(/^Done · /).waitFor();
    expect(await page.locator("li[data-kind=text]").count()).toBe(1);
    expect(await page.locator("li[data-kind=said]").count()).toBe(1);
    expect([far.house.phones.size, far.house.codes.size], "paired once").toEqual([1, 0]);
}

test("the nearer address is taken; cut in the middle of an answer, the phone misses nothing and pairs with nobody", async () => {
    await begin();
    await until(() => near.lines === 1 && far.lines === 0);
    await page.goto(`${far.url}/#/more`);
    await page.getByText("Connected, on its own network").waitFor();
    await shot(page, "more-near");
    await cutInTheMiddle(near, far);
    expect(near.asked.some((request) => request.startsWith("POST /api/stream")), "words went the short way").toBe(true);
});

test("cut from the world in the middle of an answer, the phone goes on by the local network", async () => {
    near.dead = true;
    await begin();
    await until(() => far.lines === 1);
    await cutInTheMiddle(far, near);
});

test("with its own address gone the page opens and speaks by the local network, also by one it learnt of later", async () => {
    Object.assign(far.house, { lan: [], tunnel: null });
    await begin();
    await page.evaluate(() => navigator.serviceWorker.ready);
    Object.assign(far.house, { lan: [near.url], tunnel: far.url });
    far.cut();
    const kept = () =>
        page.evaluate(async () => {
            const db = await new Promise<IDBDatabase>((resolve) => (indexedDB.open("lanyard").onsuccess = (event) => resolve((event.target as IDBOpenDBRequest).result)));
            const note = await new Promise<{ lan: string[] }>((resolve) => (db.transaction("notes").objectStore("notes").get("addresses").onsuccess = (event) => resolve((event.target as IDBRequest).result)));
            db.close();
            return note.lan;
        });
    await expect.poll(kept, { timeout: 15_000 }).toEqual([near.url]);
    const [worker] = context.serviceWorkers();
    expect(await worker?.evaluate(async (url) => (await fetch(`${url}/health`)).status, near.url), "the worker may speak to it too").toBe(200);
    far.dead = true;
    far.cut();
    await page.reload();
    await until(() => near.lines === 1);
    await say(page, WORDS.stream.say);
    await page.locator("li[data-kind=text]").filter({ hasText: WORDS.stream.answer }).waitFor();
    expect(far.house.phones.size).toBe(1);
});
