import { expect, test } from "vitest";
import { codeIn, takeCode } from "./code";

test("the code is found in an address, and in what stands around one", () => {
    for (const text of ["#c=aB_-9", "https://x.example.org/pair#c=aB_-9", '{"url":"https://x/pair#c=aB_-9","code":"aB_-9"}', "see https://x/pair#a=1&c=aB_-9 \n"]) {
        expect(codeIn(text), text).toBe("aB_-9");
    }
    for (const text of ["", "https://x/pair", "?c=abc", "#d=abc", "#c="]) expect(codeIn(text), text).toBeNull();
});

test("the code is gone from the address bar once it is taken", () => {
    history.replaceState(null, "", "/pair#c=secret");
    expect(takeCode()).toBe("secret");
    expect(location.href).not.toContain("secret");
    expect(location.pathname).toBe("/");
});
