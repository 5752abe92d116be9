// The window speaks with a real agent. LANYARD_WORDS tells what is said and what the answers have in them (see `world.ts`).

import { test } from "vitest";
import { WORDS, shot } from "../world.ts";
import { room } from "./room.ts";

const words = { ...WORDS, ...(JSON.parse(process.env["LANYARD_WORDS"] ?? "{}") as Partial<typeof WORDS>) };
const here = room();

test("a session goes on live, asks, and is found again", async () => {
    const { page, go } = here;
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
