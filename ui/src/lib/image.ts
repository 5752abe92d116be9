// A picture from the camera, made small enough to send: no larger than the model looks at, and without where it was taken.

import type { Image } from "./api/wire";
import { base64 } from "./keyring";
import { Problem } from "./problem";

/** The model scales a picture down to this edge before it looks (Anthropic's vision guide). */
const LONGEST_EDGE = 1568;
/** A phone's uplink carries this in a few seconds. */
const LARGEST_BYTES = 500_000;
const QUALITIES = [0.85, 0.7, 0.5, 0.35];

export async function prepare(file: Blob): Promise<Image> {
    const bitmap = await createImageBitmap(file).catch(() => {
        throw new Problem("PICTURE_REFUSED", "This picture cannot be read.", "Send it as JPEG, PNG, GIF or WebP.");
    });
    const scale = Math.min(1, LONGEST_EDGE / Math.max(bitmap.width, bitmap.height));
    const canvas = draw(bitmap, Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale)));
    bitmap.close();
    for (const quality of QUALITIES) {
        const blob = await asJpeg(canvas, quality);
        if (blob.size <= LARGEST_BYTES || quality === QUALITIES.at(-1)) {
            return { media_type: "image/jpeg", data: base64(new Uint8Array(await blob.arrayBuffer())) };
        }
    }
    throw new Problem("PICTURE_REFUSED", "This picture cannot be made small enough.", "Crop it and try again.");
}

function draw(bitmap: ImageBitmap, width: number, height: number): HTMLCanvasElement {
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    // What is transparent would turn black.
    if (context) context.fillStyle = "#fff";
    context?.fillRect(0, 0, width, height);
    context?.drawImage(bitmap, 0, 0, width, height);
    return canvas;
}

function asJpeg(canvas: HTMLCanvasElement, quality: number): Promise<Blob> {
    return new Promise((resolve, reject) => {
        const refuse = () => reject(new Problem("PICTURE_REFUSED", "This picture cannot be made ready.", "Try another one."));
        canvas.toBlob((blob) => (blob ? resolve(blob) : refuse()), "image/jpeg", quality);
    });
}
