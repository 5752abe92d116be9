import { expect, test } from "vitest";
import { visible } from "./visible";

const text = (input: string) => visible(input).map((piece) => piece.text).join("");

test("what hides or reorders is marked, as the gateway marks it", () => {
    expect(text("rm \u202Etxt.exe")).toBe("rm <U+202E>txt.exe");
    expect(text("a\u200Bb\x1b[2Jc\uFEFF")).toBe("a<U+200B>b<U+001B>[2Jc<U+FEFF>");
    expect(text("cr\r\u2800\u3164\u{E0101}")).toBe("cr<U+000D><U+2800><U+3164><U+E0101>");
});

test("ordinary words of any language stay one piece", () => {
    expect(visible("héllo 日本 😀\n\tok")).toEqual([{ text: "héllo 日本 😀\n\tok", mark: false }]);
    expect(visible("")).toEqual([]);
});
