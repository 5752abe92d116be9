// What an owner does with a phone in the hand, step by step. The same steps run against a real gateway: see `world.ts`.

import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type World, browser, pair, phone, say, shot, world } from "./world.ts";

let chrome: Browser;
let house: World;
let context: BrowserContext;
let page: Page;
let complaints: string[];

beforeAll(async () => {
    chrome = await browser();
    house = await world();
});

afterAll(async () => {
    await chrome?.close();
    await house?.stop();
});

beforeEach(async () => {
    context = await phone(chrome);
    complaints = [];
    context.on("console", (message) => void (/Content Security Policy|Uncaught|TypeError/.test(message.text()) && complaints.push(message.text())));
    context.on("weberror", (error) => void complaints.push(String(error.error())));
    page = await pair(context, house);
});

afterEach(async ({ task }) => {
    if (task.result?.state === "fail" && page) await shot(page, `failed-${task.name.replaceAll(/\W+/g, "-")}`);
    await context.close();
    expect(complaints).toEqual([]);
});

/** A session of this test's own. */
async function begin(words: string): Promise<void> {
    await page.goto(`${house.url}/#/chat/new`);
    await say(page, words);
}

const done = () => page.getByText(/^Done · /).last().waitFor();
const answer = (words: string) => page.locator("li[data-kind=text]").filter({ hasText: words }).last().waitFor();

test("the code leaves the address bar at once, and works once", async () => {
    expect(page.url()).toBe(`${house.url}/`);
    const code = await house.code();
    const second = await pair(context, { ...house, code: async () => code } as World, "Twice").then(
        () => "paired",
        () => "refused",
    );
    // The phone is paired already: it is asked whether to do it anew.
    expect(second).toBe("paired");
    const third = await context.newPage();
    await third.goto(`${house.url}/pair#c=${code}`);
    await third.getByRole("button", { name: "Pair", exact: true }).tap();
    await third.getByRole("alert").waitFor();
});

test("an answer is written before one's eyes, and ends as it is kept", async () => {
    await begin(house.words.stream.say);
    await page.locator(".live").waitFor();
    await answer(house.words.stream.answer);
    await done();
    expect(await page.locator(".live").count()).toBe(0);
    expect(await page.locator("li[data-kind=said]").count()).toBe(1);
});

test("what the agent changed is folded, and unfolds to a diff", async () => {
    await begin(house.words.diff.say);
    await answer(house.words.diff.answer);
    const step = page.locator("summary").filter({ hasText: "Edited" }).first();
    await step.tap();
    await page.locator(".diff [data-sign='+']").first().waitFor();
    await page.locator(".diff [data-sign='-']").first().waitFor();
});

test("an approval is counted, shown to the letter, and allowed", async () => {
    await begin(house.words.approve.say);
    const card = page.locator(".card");
    await card.getByRole("button", { name: "Allow once" }).waitFor();
    await page.locator("nav .count").waitFor();
    await page.getByRole("button", { name: /^Approvals/ }).tap();
    await page.locator("main li button").first().tap();
    await page.getByRole("button", { name: "Allow once" }).tap();
    // What is risky asks twice.
    const sure = page.getByRole("button", { name: "Yes, run it" });
    if (await sure.isVisible()) await sure.tap();
    await page.getByText(/^Allowed/).first().waitFor();
    await page.goBack();
    await page.goBack();
    await answer(house.words.approve.answer);
});

test("a network lost in the middle of an answer costs no word", async () => {
    await begin(house.words.long.say);
    await page.locator(".live").waitFor();
    await context.setOffline(true);
    await page.getByText(/You are offline/).waitFor();
    house.standin?.cut();
    await context.setOffline(false);
    await page.getByText(/You are offline/).waitFor({ state: "hidden" });
    await answer(house.words.long.answer);
    await done();
    expect(await page.locator("li[data-kind=text]").count()).toBe(1);
});

test("what is said offline waits, and is said once, in order", async () => {
    await begin(house.words.stream.say);
    await done();
    await context.setOffline(true);
    await page.getByText(/You are offline/).waitFor();
    await say(page, "First, said in a tunnel");
    await say(page, "Second, said in a tunnel");
    await page.getByText(/2 messages wait/).waitFor();
    await context.setOffline(false);
    const said = page.locator("li[data-kind=said]");
    await said.filter({ hasText: "Second" }).waitFor();
    await page.getByText(/messages? waits?\./).waitFor({ state: "hidden" });
    expect((await said.allInnerTexts()).filter((text) => text.includes("tunnel")).map((text) => /First|Second/.exec(text)?.[0])).toEqual(["First", "Second"]);
    await page.reload();
    await said.filter({ hasText: "Second" }).waitFor();
    expect(await said.filter({ hasText: "in a tunnel" }).count()).toBe(2);
});

test("what is said offline survives the page", async () => {
    await begin(house.words.stream.say);
    await done();
    await context.setOffline(true);
    await page.getByText(/You are offline/).waitFor();
    await say(page, "Kept while the page was closed");
    await page.getByText(/One message waits/).waitFor();
    await page.close();
    await context.setOffline(false);
    page = await context.newPage();
    await page.goto(house.url);
    await page.locator("li[data-kind=said]").filter({ hasText: "Kept while" }).waitFor();
});

test("words said while the agent works can go into its turn, and the turn can be stopped", async () => {
    await begin(house.words.long.say);
    await page.getByRole("button", { name: "Stop" }).waitFor();
    await page.getByRole("textbox", { name: "Message" }).fill("Mind the rounding");
    await page.getByRole("radio", { name: "Into this turn" }).check();
    await page.getByRole("button", { name: "Steer" }).tap();
    await page.locator("li[data-kind=said]").filter({ hasText: "Mind the rounding" }).getByText("into the running turn").waitFor();
    await page.getByRole("button", { name: "Stop" }).tap();
    await page.getByText(/^You stopped it/).waitFor();
});

test("a picture from the camera goes with the words, and comes back", async () => {
    await page.goto(`${house.url}/#/chat/new`);
    await page.getByLabel("Add a picture").setInputFiles(fileURLToPath(new URL("../../public/icons/512.png", import.meta.url)));
    await page.getByRole("button", { name: "Remove the picture" }).waitFor();
    await say(page, house.words.stream.say);
    const sent = page.getByRole("img", { name: "A picture you sent" });
    await sent.waitFor();
    await page.waitForFunction(() => [...document.images].some((image) => image.alt === "A picture you sent" && image.naturalWidth === 512));
});

test("several sessions go on at once", async () => {
    await begin(house.words.long.say);
    await page.getByRole("button", { name: "Stop" }).waitFor();
    await page.locator("header button.name").tap();
    await page.getByRole("dialog").getByRole("button", { name: "New session" }).tap();
    await say(page, house.words.stream.say);
    await page.getByRole("button", { name: "Stop" }).waitFor();
    await page.getByRole("button", { name: "Sessions", exact: true }).tap();
    await page.locator(".state[data-kind=working]").nth(1).waitFor();
    await page.locator("main li").filter({ hasText: house.words.stream.say }).first().tap();
    await answer(house.words.stream.answer);
});

test("back closes a sheet, then leads up, then to the chat", async () => {
    await begin(house.words.stream.say);
    await done();
    await page.getByRole("button", { name: "Sessions", exact: true }).tap();
    await page.locator("main li button").first().tap();
    await page.getByRole("button", { name: "About this session" }).tap();
    await page.getByRole("dialog", { name: "This session" }).waitFor();
    await page.goBack();
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    await page.getByRole("button", { name: "About this session" }).waitFor();
    await page.goBack();
    await page.getByRole("searchbox").waitFor();
});

test("a search finds what was said, and leads there", async () => {
    await begin(house.words.stream.say);
    await done();
    await page.getByRole("button", { name: "Sessions", exact: true }).tap();
    const word = house.words.stream.say.split(" ").at(-1) ?? "";
    await page.getByRole("searchbox").fill(word);
    await page.locator("mark").first().waitFor();
    await page.locator("main li button").first().tap();
    await page.locator("li.found").waitFor();
});

test("a phone that is taken off shows why, and keeps nothing", async () => {
    await begin(house.words.stream.say);
    await done();
    await house.revoke();
    await page.getByRole("heading", { name: "This phone is no longer paired" }).waitFor();
    const kept = await page.evaluate(async () => {
        const db = await new Promise<IDBDatabase>((resolve) => (indexedDB.open("lanyard").onsuccess = (event) => resolve((event.target as IDBOpenDBRequest).result)));
        const count = (store: string) => new Promise<number>((resolve) => (db.transaction(store).objectStore(store).count().onsuccess = (event) => resolve((event.target as IDBRequest<number>).result)));
        return Promise.all(["self", "facts", "outbox", "wishes", "notes"].map(count));
    });
    expect(kept).toEqual([0, 0, 0, 0, 0]);
    await page.reload();
    await page.getByRole("heading", { name: "Carry your coding agent with you" }).waitFor();
});
