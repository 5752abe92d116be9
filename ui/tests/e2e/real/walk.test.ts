// The whole way of one phone, each step upon the last: its camera sees the desk's code, and at the end the desk shuts it out.
// Needs a real gateway: see `world.ts`.

import type { Browser, BrowserContext, Page, WebSocket } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { scan } from "../camera.ts";
import { type World, browser, cli, drawn, phone, say, shot, world } from "../world.ts";

const NAME = "The carried phone";
/** Times the network is lost, to measure the way back. */
const LOST = 7;

let chrome: Browser;
let house: World;
let context: BrowserContext;
let page: Page;
let address = "";
const lines: WebSocket[] = [];

beforeAll(async () => {
    chrome = await browser();
    house = await world();
    context = await phone(chrome);
});

afterEach(async ({ task }) => {
    if (task.result?.state === "fail" && page) await shot(page, `failed-${task.name.replaceAll(/\W+/g, "-")}`);
});

afterAll(() => chrome?.close());

const texts = () => page.locator("li[data-kind=text]");
const done = () => page.getByText(/^Done · /).last().waitFor();

async function begin(words: string): Promise<void> {
    await page.goto(`${house.url}/#/chat/new`);
    await say(page, words);
}

for (const ending of ["svg", "png"] as const) {
    test(`a camera reads the code from a screen, drawn as ${ending}`, async () => {
        address = (await scan(context, await drawn(ending))) ?? "";
        expect(address).toMatch(/^https:\/\/[a-z.-]+\/pair#c=[\w-]{22}$/);
        expect(address.startsWith(`${house.url}/pair#`)).toBe(true);
    });
}

test("the address it read opens the page and pairs; nothing of it stays in the address bar", async () => {
    page = await context.newPage();
    page.on("websocket", (line) => void lines.push(line));
    await page.goto(address);
    await page.getByLabel("What should your computer call it?").fill(NAME);
    await shot(page, "walk-pair");
    await page.getByRole("button", { name: "Pair" }).tap();
    await page.getByRole("navigation", { name: "Lanyard" }).waitFor();
    expect(page.url()).toBe(`${house.url}/`);
    const known = async () => {
        const { phones } = JSON.parse(await cli("phones --json")) as { phones: { name: string; key: boolean; connected: number }[] };
        return phones.find(({ name }) => name === NAME);
    };
    await expect.poll(known, { timeout: 15_000 }).toMatchObject({ key: true, connected: 1 });
});

test("the code that paired it pairs no second phone", async () => {
    const other = await phone(chrome);
    const second = await other.newPage();
    await second.goto(address);
    await second.getByRole("button", { name: "Pair", exact: true }).tap();
    await second.getByRole("alert").waitFor();
    await other.close();
});

test("what is said is answered by the real agent, word by word", async () => {
    await begin(house.words.stream.say);
    await page.locator(".live").waitFor();
    await texts().filter({ hasText: house.words.stream.answer }).waitFor();
    await done();
    await shot(page, "walk-chat");
});

test("a command runs only after a yes to exactly what would run", async () => {
    await begin(house.words.approve.say);
    const card = page.locator(".card");
    await card.getByRole("button", { name: "Allow once" }).waitFor();
    await page.locator("summary").filter({ hasText: "Asks first:" }).waitFor();
    await shot(page, "walk-approval");
    const asked = JSON.parse(await cli("approve --json")) as { shown: string }[];
    expect(asked).toHaveLength(1);
    const shown = (await card.locator("pre").first().innerText()).trim();
    expect(asked[0]?.shown).toContain(shown);
    await card.getByRole("button", { name: "Allow once" }).tap();
    const sure = card.getByRole("button", { name: "Yes, run it" });
    const answered = texts().filter({ hasText: house.words.approve.answer });
    await sure.or(answered).first().waitFor();
    // What is risky asks twice.
    if (await sure.isVisible()) await sure.tap();
    await answered.waitFor();
    await done();
});

test("what it changed unfolds to a diff", async () => {
    await begin(house.words.diff.say);
    await texts().filter({ hasText: house.words.diff.answer }).waitFor();
    await page.locator("summary").filter({ hasText: "Edited" }).first().tap();
    await page.locator(".diff [data-sign='+']").first().waitFor();
    await page.locator(".diff [data-sign='-']").first().waitFor();
    await shot(page, "walk-diff");
});

test("a network lost in the middle of an answer, again and again, costs no word and doubles none", async () => {
    await begin(house.words.long.say);
    const last = house.words.long.answer;
    const count = Number(/\d+/.exec(last)?.[0]);
    await page.locator(".live").filter({ hasText: "Line 3" }).waitFor();
    const took: number[] = [];
    for (let n = 0; n < LOST; n++) {
        await context.setOffline(true);
        await page.locator(".app[data-line=offline]").waitFor();
        // The last time it comes back to an answer that was ended without it.
        if (n === LOST - 1) await expect.poll(() => cli("sessions --json"), { timeout: 60_000, interval: 500 }).not.toContain('"working"');
        took.push(await wayBack());
    }
    await texts().filter({ hasText: last }).waitFor();
    await done();
    const said = (await texts().allInnerTexts()).join("\n");
    expect([...said.matchAll(/Line (\d+) of/g)].map((line) => Number(line[1]))).toEqual(Array.from({ length: count }, (_, n) => n + 1));
    took.sort((a, b) => a - b);
    const ms = (n: number) => `${((took[n] ?? 0) / 1000).toFixed(2)} s`;
    console.log(`network back -> caught up, over ${LOST} times: median ${ms(LOST >> 1)}, longest ${ms(LOST - 1)}`);
});

/** Milliseconds from the moment the browser has its network again to the page having all that was missed. */
async function wayBack(): Promise<number> {
    const watched = await page.evaluateHandle(() => {
        const took = new Promise<number>((resolve) => {
            const online = () => {
                const began = performance.now();
                const look = () => (document.querySelector(".app[data-line=live]") ? resolve(performance.now() - began) : requestAnimationFrame(look));
                look();
            };
            window.addEventListener("online", online, { once: true });
        });
        return { took };
    });
    await context.setOffline(false);
    return watched.evaluate(({ took }) => took);
}

test("revoked at the desk, its line closes within a second and the page says so", async () => {
    const line = lines.at(-1);
    expect(line?.isClosed()).toBe(false);
    const closed = new Promise<number>((resolve) => line?.on("close", () => resolve(performance.now())));
    const told = page.getByRole("heading", { name: "This phone is no longer paired" }).waitFor();
    await cli(`phones revoke "${NAME}"`);
    const revoked = performance.now();
    expect((await closed) - revoked).toBeLessThan(1_000);
    await told;
    expect(performance.now() - revoked).toBeLessThan(3_000);
    await shot(page, "walk-revoked");
    await page.reload();
    await page.getByRole("heading", { name: "Carry your coding agent with you" }).waitFor();
});
