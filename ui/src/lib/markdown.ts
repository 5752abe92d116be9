// Markdown as a tree. It is shown by components, never as HTML, so nothing an agent writes can become part of the page.

import { type Token, lexer } from "marked";

/** Past this a page would take seconds on a phone; it is then shown as it was written. */
const LARGEST = 300_000;

/** Nothing: show the text as it is. */
export function blocks(text: string): Token[] | null {
    if (text.length > LARGEST) return null;
    try {
        return lexer(text, { gfm: true });
    } catch {
        return null;
    }
}

/** An address a tap may lead to. */
export function safeAddress(address: string): string | null {
    try {
        const url = new URL(address);
        return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
    } catch {
        return null;
    }
}

const NAMED: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", copy: "©", hellip: "…", mdash: "—", ndash: "–" };

/** `&lt;` and `&#60;` -> `<`. What is no character reference stays. */
export function plain(text: string): string {
    return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]+));/gi, (all, decimal?: string, hex?: string, name?: string) => {
        if (name !== undefined) return NAMED[name] ?? all;
        const number = decimal !== undefined ? Number.parseInt(decimal, 10) : Number.parseInt(hex ?? "", 16);
        return number > 0x1f && number <= 0x10ffff ? String.fromCodePoint(number) : all;
    });
}
