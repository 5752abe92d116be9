// A phone's camera before the desk's screen: a screenshot of what shows the code, read by a decoder that is not ours.

import { createRequire } from "node:module";
import type { BrowserContext } from "playwright-core";

const DECODER = createRequire(import.meta.url).resolve("jsqr");

type Decoder = (pixels: Uint8ClampedArray, width: number, height: number) => { data: string } | null;

/** What the code in `picture` (an address of an image) says once it stands in a page. */
export async function scan(context: BrowserContext, picture: string): Promise<string | null> {
    const screen = await context.newPage();
    await screen.setContent(`<body style="margin:24px;background:#ddd"><p>Pair a phone</p><img src="${picture}" style="width:260px" alt="">`);
    await screen.waitForFunction(() => document.images[0]?.complete && document.images[0].naturalWidth > 0);
    const seen = (await screen.screenshot()).toString("base64");
    await screen.addScriptTag({ path: DECODER });
    const read = await screen.evaluate(async (png) => {
        const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
        const canvas = new OffscreenCanvas(image.width, image.height);
        const pixels = canvas.getContext("2d");
        pixels?.drawImage(image, 0, 0);
        const { data = new Uint8ClampedArray(), width = 0, height = 0 } = pixels?.getImageData(0, 0, image.width, image.height) ?? {};
        return (globalThis as unknown as { jsQR: Decoder }).jsQR(data, width, height)?.data ?? null;
    }, seen);
    await screen.close();
    return read;
}
