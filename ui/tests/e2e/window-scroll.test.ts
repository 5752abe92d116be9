// A session of 100 000 events, read in the window: it scrolls evenly, holds little, and every place in it is reached.

import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, CDPSession, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from "vitest";
import { DeskStandin } from "./standin/desk.ts";
import { Refused } from "./standin/house.ts";
import { window } from "./window.ts";
import { browser, shot } from "./world.ts";

const EVENTS = 100_000;
/** In the middle of it. */
const NEEDLE = "The needle in the haystack is here";

let chrome: Browser;
let desk: DeskStandin;
let context: BrowserContext;
let page: Page;
let session = "";
let needle = 0;

beforeAll(async () => {
    chrome = await browser();
    desk = await DeskStandin.start(fileURLToPath(new URL("../../dist", import.meta.url)));
    session = fill();
});

afterAll(async () => {
    await chrome?.close();
    await desk?.stop();
});

beforeEach(async () => {
    context = await window(chrome);
    page = await context.newPage();
});

afterEach(async ({ task }) => {
    if (task.result?.state === "fail") await shot(page, `failed-${task.name.replaceAll(/\W+/g, "-").slice(0, 60)}`);
    await context.close();
});

/** Turns of every kind of event, each with its number in it. */
function fill(): string {
    const { house } = desk;
    const { id } = house.open("A very long session");
    const at = Date.now() - 30 * 86_400_000;
    const base = { session_id: id, at, turn: "t" };
    const usage = { input: 1, output: 1, cache_read: 1, cache_write: 1 };
    for (let n = 1; n <= EVENTS; n++) {
        const kind = n % 8;
        if (kind === 1) house.fact({ type: "streamData", data: { ...base, kind: "said", message: n, channel: "desktop", text: `Event ${n}: go on with part ${n}`, pictures: [], when: "queue" } });
        else if (kind === 2 || kind === 4) house.fact({ type: "streamToolUse", data: { ...base, kind: "used", id: `c${n}`, tool: "Bash", input: { command: `make part-${n}` }, parent: null } });
        else if (kind === 3 || kind === 5) house.fact({ type: "streamToolUse", data: { ...base, kind: "finished", id: `c${n - 1}`, ok: true, text: "ok", detail: null, pictures: [] } });
        else if (kind === 6) house.fact({ type: "streamData", data: { ...base, kind: "text", message: `m${n}`, text: n === 50_006 ? `${NEEDLE}, at ${n}.` : `Event ${n}. ${"Some words of an answer, now longer and now shorter. ".repeat(1 + (n % 7))}\n\n- one\n- two` } });
        else if (kind === 7) house.fact({ type: "streamData", data: { ...base, kind: "text", message: `m${n}`, text: `\`\`\`ts\nconst part = ${n};\n\`\`\`` } });
        else house.fact({ type: "streamComplete", data: { ...base, outcome: "completed", usage, cost_dollars: 0.01, duration_ms: 4_000, artifacts: [], sent: [] } });
        if (n === 50_006) needle = house.last;
    }
    return id;
}

const history = () => page.getByRole("main", { name: "History" });

/** The numbers of the events in sight. */
const inSight = () =>
    history().evaluate((main) => {
        const { top, bottom } = main.getBoundingClientRect();
        const seen = [...main.querySelectorAll<HTMLElement>(".item")].filter((item) => item.getBoundingClientRect().bottom > top && item.getBoundingClientRect().top < bottom);
        return seen.map((item) => Number(item.dataset["key"]));
    });

/** On a busy computer the wheel may be ahead of what is drawn. */
const firstInSight = async () => {
    await expect.poll(async () => (await inSight()).length).toBeGreaterThan(0);
    return (await inSight())[0] ?? 0;
};

/** Each item is measured when it comes into sight, which takes a busy computer its time. */
const PATIENT = { timeout: 15_000 };
const atEnd = () => expect.poll(async () => (await inSight()).at(-1), PATIENT).toBe(EVENTS);

async function read(path: string): Promise<void> {
    await page.goto(`${desk.url}/#/sessions/${path}`);
    await history().locator(".item").first().waitFor();
}

async function heap(cdp: CDPSession): Promise<number> {
    await cdp.send("HeapProfiler.collectGarbage");
    const { metrics } = await cdp.send("Performance.getMetrics");
    return (metrics.find(({ name }) => name === "JSHeapUsedSize")?.value ?? 0) / 1e6;
}

test("it opens at its end", async () => {
    await read(session);
    await atEnd();
});

test("read upwards it scrolls evenly, loses nobody's place, and holds no more than a part of it", async () => {
    await read(session);
    await atEnd();
    const cdp = await context.newCDPSession(page);
    await cdp.send("Performance.enable");
    const before = await heap(cdp);
    await page.evaluate(() => {
        const took: number[] = [];
        let last = performance.now();
        const frame = (now: number) => {
            took.push(now - last);
            last = now;
            requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);
        Object.assign(globalThis, { took });
    });
    await history().hover();
    const seen: number[] = [];
    for (let n = 0; n < 150; n++) {
        await page.mouse.wheel(0, -900);
        await page.waitForTimeout(16);
        if (n % 10 === 9) seen.push(await firstInSight());
    }
    const took = (await page.evaluate(() => (globalThis as unknown as { took: number[] }).took)).sort((a, b) => a - b);
    const frame = (part: number) => took[Math.floor(took.length * part)] ?? 0;
    const after = await heap(cdp);
    const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
    console.log(`scrolled from event ${EVENTS} up to ${seen.at(-1)}: frames median ${frame(0.5).toFixed(0)} ms, 95% ${frame(0.95).toFixed(0)} ms, longest ${frame(0.9999).toFixed(0)} ms; ${nodes} nodes; heap ${before.toFixed(0)} -> ${after.toFixed(0)} MB`);
    expect([...seen].sort((a, b) => b - a), `always further up: ${seen.join(" ")}`).toEqual(seen);
    expect(seen.at(-1)).toBeLessThan(EVENTS - 1_800);
    expect(nodes).toBeLessThan(4_000);
    expect(after - before).toBeLessThan(40);
    expect(frame(0.5)).toBeLessThan(40);
    expect(frame(0.95)).toBeLessThan(150);
});

test("a place in the middle is reached from the search, and both ways lead on from it", async () => {
    await page.goto(`${desk.url}/#/sessions`);
    await page.getByRole("searchbox").fill(NEEDLE);
    await page.locator("a.line mark").first().click();
    const found = history().locator(".item.found");
    await found.getByText(NEEDLE).waitFor();
    await expect.poll(inSight).toContain(needle);
    await history().hover();
    for (const [way, beyond] of [[-1_500, (n: number) => n < needle - 300], [1_500, (n: number) => n > needle + 300]] as const) {
        await expect
            .poll(
                async () => {
                    await page.mouse.wheel(0, way);
                    return beyond((await inSight())[0] ?? needle);
                },
                { timeout: 40_000, interval: 30 },
            )
            .toBe(true);
    }
});

test("Home and End lead to its first and its last event", async () => {
    await read(session);
    await atEnd();
    await history().focus();
    await page.keyboard.press("Home");
    await expect.poll(async () => (await inSight())[0], PATIENT).toBe(1);
    await page.keyboard.press("End");
    await atEnd();
});

test("a leap that fails leaves one where one reads, and says so there", async () => {
    await read(`${session}?at=${needle}`);
    await expect.poll(inSight, PATIENT).toContain(needle);
    await expect.poll(() => history().getAttribute("aria-busy"), PATIENT).toBe("false");
    desk.refuse.set(`GET /api/sessions/${session}/events`, new Refused(500, "DATABASE_BUSY", "The database is busy.", "Try again."));
    await page.getByRole("button", { name: "To the latest" }).click();
    const told = page.getByRole("alert").filter({ hasText: "The database is busy." });
    await told.waitFor();
    expect(await inSight()).toContain(needle);
    await shot(page, "session-leap-failed");
    desk.refuse.clear();
    await page.getByRole("button", { name: "To the latest" }).click();
    await atEnd();
    await told.waitFor({ state: "hidden" });
});

for (const parent of [null, "helper"]) {
    test(`thousands of steps in a row ${parent ? "of a helper " : ""}are held without fetching them over and over, and lead to what came before them`, async () => {
        const { house } = desk;
        const { id } = house.open("Many steps");
        const base = { session_id: id, at: Date.now(), turn: "t" };
        const step = (call: string, within: string | null) => {
            house.fact({ type: "streamToolUse", data: { ...base, kind: "used", id: call, tool: "Bash", input: { command: `make ${call}` }, parent: within } });
            house.fact({ type: "streamToolUse", data: { ...base, kind: "finished", id: call, ok: true, text: "ok", detail: null, pictures: [] } });
        };
        for (let n = 0; n < 60; n++) house.say(id, `Words ${n}`, "desktop");
        const before = house.last;
        if (parent) step(parent, null);
        for (let n = 0; n < 2_000; n++) step(`part-${n}`, parent);
        house.say(id, "And so it was done", "desktop");
        let pages = 0;
        page.on("request", (request) => void (request.url().includes("/events?") && pages++));
        const rests = async () => {
            const asked = pages;
            await page.waitForTimeout(1_000);
            return pages === asked;
        };
        await read(id);
        await expect.poll(rests, { timeout: 30_000 }).toBe(true);
        await history().getByText("And so it was done").waitFor();
        expect(pages).toBeLessThan(25);
        await history().hover();
        const upTo = async () => {
            await page.mouse.wheel(0, -1_500);
            return (await inSight())[0];
        };
        await expect.poll(upTo, { timeout: 40_000, interval: 50 }).toBeLessThan(before - 20);
        await expect.poll(rests, { timeout: 30_000 }).toBe(true);
    });
}

test("what comes new keeps one at the end, and moves nobody who reads above it", async () => {
    const { id } = desk.house.open("Goes on");
    for (let n = 0; n < 60; n++) desk.house.say(id, `Words ${n}`, "desktop");
    await read(id);
    await history().getByText("Words 59").waitFor();
    desk.house.say(id, "The newest words", "desktop");
    await expect.poll(() => history().getByText("The newest words").isVisible()).toBe(true);
    await history().hover();
    await page.mouse.wheel(0, -1_200);
    await page.getByRole("button", { name: "To the latest" }).waitFor();
    const before = await inSight();
    for (let n = 0; n < 20; n++) desk.house.say(id, `Even newer ${n}`, "desktop");
    await page.waitForFunction(() => document.querySelector(".around button"));
    expect(await inSight()).toEqual(before);
    await page.getByRole("button", { name: "To the latest" }).click();
    await history().getByText("Even newer 19").waitFor();
});
