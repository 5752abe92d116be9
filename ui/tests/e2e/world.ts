// Where the steps are taken: against the stand-in, or against a gateway named by the environment.
//
//   LANYARD_URL      its public address, for instance https://desk.example
//   LANYARD_CLI      the command line that speaks to it, for instance `lanyard --home /tmp/x`: it pairs and revokes
//   LANYARD_RESOLVE  where a host is found in place of its real address, for instance `desk.example 127.0.0.1:4433`
//   LANYARD_WORDS    JSON over `WORDS`: what is said for each behaviour, and what the agent's answer then has in it
//   LANYARD_SHOTS    a folder for pictures of every screen

import { exec } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Browser, type BrowserContext, type Page, chromium } from "playwright-core";
import { codeIn } from "../../src/lib/code";
import { Standin } from "./standin/server.ts";

/** What is said to have the agent do something, and words its answer has. */
export interface Words {
    say: string;
    answer: string;
}

export const WORDS: Record<"stream" | "long" | "diff" | "approve", Words> = {
    stream: { say: "Fix the failing test in billing", answer: "All 48 tests pass" },
    long: { say: "Write a long answer", answer: "All 48 tests pass" },
    diff: { say: "Edit the rounding", answer: "One file changed" },
    approve: { say: "Push it", answer: "Pushed to" },
};

export interface World {
    url: string;
    words: typeof WORDS;
    /** The script behind it, where there is one. */
    standin: Standin | null;
    code(): Promise<string>;
    revoke(): Promise<void>;
    stop(): Promise<void>;
}

const run = promisify(exec);

export async function world(): Promise<World> {
    const { LANYARD_URL: url, LANYARD_WORDS: words = "{}" } = process.env;
    if (!url) return scripted();
    return {
        url,
        words: { ...WORDS, ...(JSON.parse(words) as Partial<typeof WORDS>) },
        standin: null,
        code: async () => {
            const code = codeIn(await cli("pair --no-wait"));
            if (code === null) throw new Error("lanyard pair printed no pairing address");
            return code;
        },
        revoke: async () => {
            const { phones } = JSON.parse(await cli("phones --json")) as { phones: { id: string; revoked_at: number | null }[] };
            for (const { id } of phones.filter((p) => p.revoked_at === null)) await cli(`phones revoke ${id}`);
        },
        stop: async () => {},
    };
}

/** What the gateway's command line says. */
export async function cli(words: string): Promise<string> {
    return (await run(`${process.env["LANYARD_CLI"] ?? "lanyard"} ${words}`)).stdout;
}

/** The code as the desk draws it: a picture for a page. */
export async function drawn(ending: "svg" | "png"): Promise<string> {
    const file = join(mkdtempSync(join(tmpdir(), "lanyard-code-")), `code.${ending}`);
    await cli(`pair --no-wait --picture ${file}`);
    return `data:image/${ending === "svg" ? "svg+xml" : "png"};base64,${readFileSync(file).toString("base64")}`;
}

async function scripted(): Promise<World> {
    const standin = await Standin.start(fileURLToPath(new URL("../../dist", import.meta.url)));
    return {
        url: standin.url,
        words: WORDS,
        standin,
        code: async () => standin.house.code(),
        revoke: async () => standin.revoke(),
        stop: () => standin.stop(),
    };
}

export function browser(): Promise<Browser> {
    const { LANYARD_CHROMIUM: executablePath = "/usr/bin/chromium", LANYARD_RESOLVE: resolve } = process.env;
    const args = ["--no-sandbox", "--disable-dev-shm-usage"];
    if (resolve) args.push(`--host-resolver-rules=MAP ${resolve}`);
    return chromium.launch({ executablePath, args });
}

/** A small phone of its own. */
export async function phone(browser: Browser, colorScheme: "light" | "dark" = "light", workers: "allow" | "block" = "block"): Promise<BrowserContext> {
    const context = await browser.newContext({
        viewport: { width: 360, height: 740 },
        deviceScaleFactor: 2,
        hasTouch: true,
        isMobile: true,
        colorScheme,
        reducedMotion: "reduce",
        serviceWorkers: workers,
        userAgent: "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Mobile Safari/537.36",
        ignoreHTTPSErrors: true,
    });
    // A real agent has to wake up first.
    context.setDefaultTimeout(process.env["LANYARD_URL"] ? 60_000 : 15_000);
    return context;
}

export async function pair(context: BrowserContext, world: World, name = "Ada's phone"): Promise<Page> {
    const page = await context.newPage();
    await page.goto(`${world.url}/pair#c=${await world.code()}`);
    await page.getByLabel("What should your computer call it?").fill(name);
    await page.getByRole("button", { name: "Pair" }).tap();
    await page.getByRole("navigation", { name: "Lanyard" }).waitFor();
    return page;
}

export async function say(page: Page, words: string): Promise<void> {
    await page.getByRole("textbox", { name: "Message" }).fill(words);
    await page.locator("button.send").tap();
}

/** Resolves once what just changed is painted: without motion a change of colour is still a transition of one frame. */
export async function settled(page: Page): Promise<void> {
    await page.evaluate(() => new Promise<void>((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))));
}

export const shots = process.env["LANYARD_SHOTS"];

/** A picture to look at, where pictures were asked for. */
export async function shot(page: Page, name: string): Promise<void> {
    if (!shots) return;
    mkdirSync(shots, { recursive: true });
    await page.screenshot({ path: `${shots}/${name}.png` });
}
