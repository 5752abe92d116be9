import { expect, test } from "vitest";
import { isWhole, written } from "./answers";

test("options go by number, a line for each question", () => {
    expect(written([{ options: [1], own: "" }])).toBe("2");
    expect(written([{ options: [2, 0], own: "" }, { options: [0], own: "" }])).toBe("1 3\n1");
});

test("one's own words stay one answer", () => {
    expect(written([{ options: [], own: " both; then\nsome " }])).toBe("both; then\nsome");
    expect(written([{ options: [], own: "both; then\nsome" }, { options: [1], own: "" }])).toBe("both, then some\n2");
});

test("every question needs an answer", () => {
    expect(isWhole([{ options: [], own: " " }])).toBe(false);
    expect(isWhole([{ options: [0], own: "" }, { options: [], own: "x" }])).toBe(true);
});
