import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { KeptDrafts, MOST } from "../drafts";

beforeEach(() => localStorage.clear());
afterEach(() => vi.restoreAllMocks());

test("half-written words are there when the window is opened anew, and are gone once they are said", () => {
    const drafts = new KeptDrafts();
    drafts.set("a", "half a sen");
    drafts.set("b", "said soon");
    drafts.set("b", "");
    const anew = new KeptDrafts();
    expect([anew.get("a"), anew.get("b")]).toEqual(["half a sen", undefined]);
});

test("of very many drafts those written last are kept", () => {
    const drafts = new KeptDrafts();
    for (let n = 0; n < MOST + 1; n++) drafts.set(`s${n}`, "words");
    drafts.set("s1", "more words");
    drafts.set("new", "words");
    const anew = new KeptDrafts();
    expect([anew.get("s0"), anew.get("s1"), anew.get("s2"), anew.get("new")]).toEqual([undefined, "more words", undefined, "words"]);
});

test("where nothing can be kept, or what was kept cannot be read, one writes all the same", () => {
    localStorage.setItem("lanyard.drafts", "{");
    const drafts = new KeptDrafts();
    vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
        throw new Error("full");
    });
    drafts.set("a", "words");
    expect(drafts.get("a")).toBe("words");
});
