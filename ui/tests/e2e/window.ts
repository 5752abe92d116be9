// A window on the desk, and what is looked for on each of its screens.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { settled } from "./world.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const USUAL = { width: 1100, height: 760 };
export const SMALLEST = { width: 720, height: 480 };
/** What is left of a narrow window where letters are made twice as large. */
export const ENLARGED = { width: 360, height: 740 };

export async function window(browser: Browser, colorScheme: "light" | "dark" = "light", viewport = USUAL): Promise<BrowserContext> {
    const context = await browser.newContext({ viewport, colorScheme, reducedMotion: "reduce", serviceWorkers: "block" });
    context.setDefaultTimeout(15_000);
    return context;
}

/** What the page complains of: its content policy, its own mistakes. */
export function complaints(context: BrowserContext): string[] {
    const all: string[] = [];
    context.on("console", (message) => void (/Content Security Policy|Uncaught|TypeError/.test(message.text()) && all.push(message.text())));
    context.on("weberror", (error) => void all.push(String(error.error())));
    return all;
}

/** Barriers, and whatever is wider than the window, cut off from view, or too small to be hit. */
export async function inspect(page: Page): Promise<string[]> {
    await settled(page);
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: { run(options: object): Promise<AxeResults> } }).axe.run({ resultTypes: ["violations"] }));
    const barriers = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`);
    const wide = await page.evaluate(() => {
        const inside = (el: Element) => el.closest("pre, .scroll, .cut, .what, .words, .said-only, svg, .under") !== null;
        return [...document.querySelectorAll("body *")].filter((el) => !inside(el) && el.getClientRects().length > 0 && el.getBoundingClientRect().right > innerWidth + 1).map((el) => `wide: ${el.tagName}.${el.className}`);
    });
    const small = await page.evaluate(() =>
        [...document.querySelectorAll("button, summary, select, input:not([type=radio], [type=checkbox], [type=file]), textarea")]
            .filter((el) => el.getClientRects().length > 0 && el.getBoundingClientRect().height < 20)
            .map((el) => `small: ${el.tagName} ${el.textContent?.slice(0, 30)} ${el.getBoundingClientRect().height}`),
    );
    return [...barriers, ...wide, ...small];
}
