// Every screen and every setting of the window, as a real gateway fills them.

import { expect, test } from "vitest";
import { inspect } from "../window.ts";
import { shot } from "../world.ts";
import { room } from "./room.ts";

const here = room();

test("every screen shows what the gateway says", async () => {
    const { page, go } = here;
    const seen = { "/": "Check-up", "/sessions": "Sessions", "/approvals": "Approvals", "/phones": "Tokens for scripts", "/pair": "Works once", "/activity": "Activity", "/usage": "Usage", "/settings": "This app", "/settings/accounts": "Anthropic", "/setup/docker": "Docker", "/sessions?import": "Import Claude Code" };
    for (const [path, says] of Object.entries(seen)) {
        await page.goto("about:blank");
        await go(path);
        await page.getByText(says).first().waitFor();
        await page.locator("[role=status][aria-label=Loading]").first().waitFor({ state: "hidden" });
        expect(await page.getByRole("alert").filter({ hasText: /BAD_|NOT_FOUND|INTERNAL|FAILED/ }).allInnerTexts(), path).toEqual([]);
        expect(await inspect(page), path).toEqual([]);
        await shot(page, `real-${path.replaceAll(/\W/g, "-")}`);
    }
    await expect.poll(() => page.locator(".window").getAttribute("data-line")).toBe("live");
});

test("every setting that the gateway names has its field", async () => {
    const { desk, page, go } = here;
    const { fields } = (await (await fetch(`${desk.url}/settings`)).json()) as { fields: { label: string; section: string }[] };
    expect(fields.length).toBeGreaterThan(10);
    for (const section of new Set(fields.map((field) => field.section))) {
        await go(`/settings/${encodeURIComponent(section)}`);
        const further = page.getByRole("button", { name: "Show what is rarely changed" });
        const first = fields.find((field) => field.section === section);
        await page.getByText(first?.label ?? "", { exact: true }).or(further).first().waitFor();
        if (await further.isVisible()) await further.click();
        for (const field of fields.filter((one) => one.section === section)) expect(await page.getByText(field.label, { exact: true }).count(), field.label).toBeGreaterThan(0);
        expect(await inspect(page), section).toEqual([]);
        await shot(page, `real-settings-${section.replaceAll(/\W/g, "-")}`);
    }
});

test("a token is made, shown once, and revoked", async () => {
    const { page, go } = here;
    await go("/phones");
    await page.getByRole("button", { name: "Make a token" }).click();
    await page.getByLabel("What is it for?").fill("window test");
    await page.getByRole("button", { name: "Make it" }).click();
    await page.getByText("shown this once").waitFor();
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("button", { name: "Revoke window test" }).click();
    await page.getByRole("button", { name: "Yes, revoke it" }).click();
    await page.getByRole("button", { name: "Revoke window test" }).waitFor({ state: "hidden" });
});
