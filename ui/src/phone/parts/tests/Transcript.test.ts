import { fireEvent, screen } from "@testing-library/svelte";
import { beforeEach, expect, test } from "vitest";
import type { JsonValue } from "../../../lib/api/wire";
import type { Phone } from "../../../lib/state/phone.svelte";
import type { Item } from "../../../lib/transcript";
import Transcript from "../Transcript.svelte";
import { phone as make, show } from "./stand";

let phone: Phone;

beforeEach(async () => {
    ({ phone } = await make());
});

const call = (id: string, tool: string, input: JsonValue, text: string | null = "ok", ok = true) => ({
    id, tool, input, at: 1, within: [], asks: false, result: text === null ? null : { ok, text, detail: null, pictures: [], at: 2 },
});

const steps = (...calls: ReturnType<typeof call>[]): Item => ({ key: "1", seq: 1, at: 1, kind: "steps", calls });
const items = (...all: Item[]) => show(Transcript, phone, { items: all, session: "s", working: true });

test("a step is one line until it is opened", async () => {
    const { container } = items(steps(call("1", "Bash", { command: "npm test\nnpm run lint" }, "3 passed")));
    expect(container.querySelector("summary")?.textContent?.replaceAll(/\s+/g, " ").trim()).toBe("Ran npm test …");
    expect(screen.queryByText("3 passed")).toBeNull();
    container.querySelector("details")?.setAttribute("open", "");
    await fireEvent(container.querySelector("details") as Element, new Event("toggle"));
    expect(await screen.findByText("3 passed")).toBeTruthy();
});

test("many steps show the last ones", async () => {
    const { container } = items(steps(...Array.from({ length: 9 }, (_, n) => call(`${n}`, "Read", { file_path: `/workspace/${n}.ts` }))));
    expect(container.querySelectorAll("summary")).toHaveLength(4);
    await fireEvent.click(screen.getByRole("button", { name: "5 earlier steps" }));
    expect(container.querySelectorAll("summary")).toHaveLength(9);
});

test("a running step says so, a failed one too", () => {
    items(steps(call("1", "Bash", { command: "false" }, "exit 1", false), call("2", "Edit", { file_path: "/workspace/a.ts", old_string: "a", new_string: "b\nc" }, null)));
    expect(screen.getByText("failed")).toBeTruthy();
    expect(screen.getByText("Editing")).toBeTruthy();
    expect(screen.getByText("+2")).toBeTruthy();
});

test("words that a tool brings are text and nothing else", async () => {
    const { container } = items(steps(call("1", "mcp__web__read", { url: "<b>x</b>" }, '<img src=x onerror="alert(1)">')));
    container.querySelector("details")?.setAttribute("open", "");
    await fireEvent(container.querySelector("details") as Element, new Event("toggle"));
    await screen.findByText(/onerror/);
    expect(container.querySelectorAll("img, b")).toHaveLength(0);
});

test("an error has its sentence, what to do, and its code", () => {
    const error = { code: "SPEND_CAP" as const, kind: "permission" as const, message: "The day's cap is reached.", details: { suggestion: "Raise it at the desk." } };
    items({ key: "2", seq: 2, at: 1, kind: "failed", error });
    for (const words of ["The day's cap is reached.", /Raise it at the desk/, "SPEND_CAP"]) expect(screen.getByText(words)).toBeTruthy();
});
