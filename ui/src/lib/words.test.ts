import { expect, test } from "vitest";
import { Words, hasGap, known } from "./words";

const TEXT = "Größe: 10 €. Done 😀, truly.";

/** The text in pieces of so many characters, as the agent's words come. */
function pieces(text: string, size: number, block = 0, message = "m") {
    let offset = 0;
    return (text.match(new RegExp(`[\\s\\S]{1,${size}}`, "gu")) ?? []).map((piece) => {
        const partial = { session_id: "s", message, block, offset, text: piece, thinking: false };
        offset += new TextEncoder().encode(piece).length;
        return partial;
    });
}

const shown = (words: Words) => words.blocks.map(known);

test("pieces in order make the text, whatever its letters", () => {
    for (const size of [1, 2, 3, 7]) {
        const words = new Words();
        for (const piece of pieces(TEXT, size)) words.hear(piece);
        expect(shown(words)).toEqual([TEXT]);
    }
});

test("a lost piece leaves a mark and not a wrong word", () => {
    const all = pieces(TEXT, 5);
    for (let lost = 0; lost < all.length - 1; lost++) {
        const words = new Words();
        for (const [n, piece] of all.entries()) if (n !== lost) words.hear(piece);
        expect(words.blocks[0] && hasGap(words.blocks[0])).toBe(true);
        expect(shown(words)[0]?.split("[…]").every((part) => TEXT.includes(part.trim()))).toBe(true);
    }
});

test("a piece that comes twice is there once", () => {
    const words = new Words();
    for (const piece of pieces(TEXT, 4)) {
        words.hear(piece);
        words.hear(piece);
    }
    expect(shown(words)).toEqual([TEXT]);
});

test("the finished text takes the place of its block, gaps or not", () => {
    const words = new Words();
    for (const [n, piece] of pieces(TEXT, 4).entries()) if (n !== 2) words.hear(piece);
    for (const piece of pieces("The next block", 4, 2)) words.hear(piece);
    words.finish("m", TEXT);
    expect(shown(words)).toEqual(["The next block"]);
});

test("a block whose beginning was lost goes with its finished text", () => {
    const words = new Words();
    for (const piece of pieces(TEXT, 4).slice(2)) words.hear(piece);
    words.finish("m", TEXT);
    expect(shown(words)).toEqual([]);
});

test("pieces that come after their finished text are not shown", () => {
    const late = pieces(TEXT, 4);
    const words = new Words();
    words.hear(late[0]!);
    words.finish("m", TEXT);
    for (const piece of late) words.hear(piece);
    expect(shown(words)).toEqual([]);
    const unseen = new Words();
    unseen.finish("m", TEXT);
    for (const piece of late) unseen.hear(piece);
    expect(shown(unseen)).toEqual([]);
});

test("a finished block does not take one of another message", () => {
    const words = new Words();
    for (const piece of pieces("Other", 3, 0, "other")) words.hear(piece);
    words.finish("m", "Other");
    expect(shown(words)).toEqual(["Other"]);
});

test("thoughts end with what follows them", () => {
    const words = new Words();
    words.hear({ session_id: "s", message: "m", block: 0, offset: 0, text: "hmm", thinking: true });
    words.hear({ session_id: "s", message: "m", block: 1, offset: 0, text: "So", thinking: false });
    words.thought();
    expect(shown(words)).toEqual(["So"]);
});
