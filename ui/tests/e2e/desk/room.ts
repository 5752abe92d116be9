// The window at a real gateway: LANYARD_DESK names the socket file of its local door. A browser for a file of tests, a page for each.

import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { type Carried, carry } from "../desk.ts";
import { complaints, window } from "../window.ts";
import { browser, shot } from "../world.ts";

export interface Room {
    desk: Carried;
    page: Page;
    go(path: string): Promise<void>;
}

export function room(): Room {
    let chrome: Browser;
    let context: BrowserContext;
    let said: string[];
    const room = { go: async (path) => void (await room.page.goto(`${room.desk.url}/#${path}`)) } as Room;

    beforeAll(async () => {
        chrome = await browser();
        room.desk = await carry(process.env["LANYARD_DESK"] ?? "");
    });

    afterAll(async () => {
        await chrome?.close();
        await room.desk?.stop();
    });

    beforeEach(async () => {
        context = await window(chrome);
        context.setDefaultTimeout(60_000);
        said = complaints(context);
        room.page = await context.newPage();
    });

    afterEach(async ({ task }) => {
        if (task.result?.state === "fail") await shot(room.page, `failed-desk-${task.name.replaceAll(/\W+/g, "-").slice(0, 60)}`);
        await context.close();
        expect(said).toEqual([]);
    });

    return room;
}
