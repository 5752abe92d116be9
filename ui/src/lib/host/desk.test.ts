import { afterEach, expect, test, vi } from "vitest";
import { Pictures } from "../state/pictures.svelte";
import { DeskHost } from "./desk";

afterEach(() => vi.unstubAllGlobals());

test("the window takes a picture from the local door, which knows no links", async () => {
    const artifact = { id: "p", media_type: "image/png", caption: null, bytes: 1, created_at: 1, url: "/m/proof", expires_at: Date.now() + 60_000 };
    vi.stubGlobal("fetch", async () => new Response(JSON.stringify({ artifacts: [artifact] }), { headers: { "content-type": "application/json" } }));
    const pictures = new Pictures(new DeskHost());
    await pictures.want("s", "p");
    expect(pictures.get("p")?.url).toBe("/api/artifacts/p");
});
