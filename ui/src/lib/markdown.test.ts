import { expect, test } from "vitest";
import { blocks, plain, safeAddress } from "./markdown";

test("only addresses a browser should follow can be followed", () => {
    expect(safeAddress("https://example.org/a")).toBe("https://example.org/a");
    expect(safeAddress("mailto:a@example.org")).toBe("mailto:a@example.org");
    for (const address of ["javascript:alert(1)", " JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "/p/other", "//example.org", ""]) {
        expect(safeAddress(address), address).toBeNull();
    }
});

test("character references become characters, once", () => {
    expect(plain("AT&amp;T &lt;b&gt; &#60; &#x3C;")).toBe("AT&T <b> < <");
    expect(plain("&amp;lt;")).toBe("&lt;");
    expect(plain("&unknown; &#0; &#xffffff; a & b")).toBe("&unknown; &#0; &#xffffff; a & b");
});

test("a text too long to lay out is left as it is", () => {
    expect(blocks("a".repeat(300_001))).toBeNull();
    expect(blocks("# a")).not.toBeNull();
});
