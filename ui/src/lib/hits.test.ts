import { expect, test } from "vitest";
import { parts } from "./hits";

test("a find in an agent's words is read, not its Markdown", () => {
    const read = (snippet: string, markdown: boolean) => parts(snippet, markdown).map((part) => (part.match ? `[${part.text}]` : part.text)).join("");
    expect(read("# Why\n`\uE000total\uE001` rounds **each** line. ```py", true)).toBe("Why\n[total] rounds each line. py");
    expect(read("run: echo `\uE000date\uE001` **/*.rs", false)).toBe("run: echo `[date]` **/*.rs");
});
