// Text by which a person decides: nothing invisible in it, nothing that reorders ("Trojan Source", CVE-2021-42574).
// The same characters as in the gateway, so that both show the same.

export interface Piece {
    text: string;
    /** It stands for a character that would mislead. */
    mark: boolean;
}

const MISLEADING =
    /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u{FE00}-\u{FE0E}\u{E0100}-\u{E01EF}\u034F\u115F\u1160\u3164\uFFA0\u2800]/u;

/** Whole texts and marks in turn: `rm <U+202E>x` -> "rm ", mark, "x". Line breaks and tabs stay. */
export function visible(text: string): Piece[] {
    const pieces: Piece[] = [];
    let plain = "";
    for (const character of text) {
        if (character === "\n" || character === "\t" || !MISLEADING.test(character)) {
            plain += character;
            continue;
        }
        if (plain !== "") pieces.push({ text: plain, mark: false });
        plain = "";
        const number = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
        pieces.push({ text: `<U+${number}>`, mark: true });
    }
    if (plain !== "") pieces.push({ text: plain, mark: false });
    return pieces;
}
