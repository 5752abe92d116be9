import { render } from "@testing-library/svelte";
import { expect, test } from "vitest";
import Markdown from "./Markdown.svelte";

const page = (text: string) => render(Markdown, { text }).container;

test("HTML in an answer is shown, not obeyed", () => {
    const shown = page('<img src=x onerror=alert(1)> and <script>alert(2)</script>\n\n<div onclick="x">block</div>\n\n<svg/onload=alert(3)>');
    expect(shown.querySelectorAll("img, script, svg, div[onclick]")).toHaveLength(0);
    expect(shown.textContent).toContain("<img src=x onerror=alert(1)>");
    expect(shown.textContent).toContain("<script>alert(2)</script>");
});

test("a link that would run something is words", () => {
    const shown = page("[tap](javascript:alert(1)) <javascript:alert(1)> [ok](https://example.org)");
    expect([...shown.querySelectorAll("a")].map((a) => [a.textContent, a.getAttribute("href"), a.rel])).toEqual([["ok", "https://example.org/", "noopener noreferrer"]]);
    expect(shown.textContent).toContain("tap");
});

test("a picture elsewhere is named, not loaded", () => {
    const shown = page("![plot](https://example.org/p.png)");
    expect(shown.querySelector("img")).toBeNull();
    expect(shown.querySelector("a")?.textContent).toBe("Picture: plot");
});

test("the parts of an answer have their shapes", () => {
    const shown = page("# One\n\nA *b* **c** `d` ~~e~~\n\n3. x\n4. y\n   - z\n\n- [x] done\n\n```js\n1 < 2\n```\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n> q\n\n---");
    expect(shown.querySelector("h2")?.textContent).toBe("One");
    expect(shown.querySelector("ol")?.getAttribute("start")).toBe("3");
    expect(shown.querySelector("ol ul li")?.textContent?.trim()).toBe("z");
    expect(shown.querySelector("input")).toHaveProperty("checked", true);
    expect(shown.querySelector("pre code")?.textContent).toBe("1 < 2");
    expect(shown.querySelectorAll("td")[1]?.textContent).toBe("2");
    for (const name of ["em", "strong", "p code", "del", "blockquote", "hr", "table"]) expect(shown.querySelector(name), name).not.toBeNull();
});

test("no text breaks the page", () => {
    for (const text of ["", "\n", "```", "[", "![](", "| a |\n|--", "> > > >", "*".repeat(2_000), "\u0000\uFFFF", "[a]: x\n\n[a]", "<!--", "&#x;"]) {
        expect(() => page(text), JSON.stringify(text)).not.toThrow();
    }
});
