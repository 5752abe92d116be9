import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { afterEach, expect, test, vi } from "vitest";
import type { Approval } from "../../lib/api/link";
import { Shelf } from "../../lib/shelf";
import LinkPage from "./LinkPage.svelte";

type Reply = { status?: number; body: unknown } | "never" | "broken";

const calls: string[] = [];

/** The gateway says these things in turn, the last one for ever. */
function gateway(...replies: Reply[]) {
    calls.length = 0;
    vi.stubGlobal("fetch", (path: string, init?: RequestInit) => {
        calls.push(`${init?.method ?? "GET"} ${path}`);
        const reply = replies.length > 1 ? replies.shift() : replies[0];
        if (reply === "never") return new Promise(() => {});
        if (reply === "broken" || reply === undefined) return Promise.reject(new TypeError("no route"));
        return Promise.resolve(new Response(JSON.stringify(reply.body), { status: reply.status ?? 200 }));
    });
}

function approval(state: Approval["state"] = "open"): Approval {
    return { kind: "approval", id: "a7", now: Date.now(), number: 7, tool: "Bash", input: { command: "rm -rf \u202Ebuild" }, shown: "", target: null, risk: "high", state, asked_at: Date.now(), expires_at: Date.now() + 90_000 };
}

function refusal(code: string, message: string, suggestion: string) {
    return { type: "error", data: { code, message, details: { suggestion } } };
}

afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
});

test("while the computer is asked, the page says so", () => {
    gateway("never");
    render(LinkPage, { path: "/a/tok" });
    expect(screen.getByRole("status").textContent).toContain("Asking your computer");
});

test("an answer is shown whole, with its session, time and pictures", async () => {
    const artifacts = [{ url: "/m/x", media_type: "image/png", caption: "The page" }];
    gateway({ body: { kind: "answer", session: { title: "Fix billing" }, at: Date.now() - 120_000, markdown: "It **works**.", artifacts } });
    render(LinkPage, { path: "/a/tok" });
    expect((await screen.findByRole("heading", { level: 1 })).textContent).toBe("Fix billing");
    expect(screen.getByText("works").tagName).toBe("STRONG");
    expect(screen.getByText("2 min ago")).toBeTruthy();
    expect(screen.getByAltText("The page").getAttribute("src")).toBe("/m/x");
    expect(calls).toEqual(["GET /api/link/tok"]);
});

test("a picture that is gone says so", async () => {
    const artifacts = [{ url: "/m/x", media_type: "image/png", caption: "The page" }];
    gateway({ body: { kind: "answer", session: { title: "t" }, at: null, markdown: "", artifacts } });
    render(LinkPage, { path: "/a/tok" });
    await fireEvent.error(await screen.findByAltText("The page"));
    expect(screen.getByText(/can no longer be had: The page/)).toBeTruthy();
});

test("an answer without words is not an empty page", async () => {
    gateway({ body: { kind: "answer", session: { title: "" }, at: null, markdown: " ", artifacts: [] } });
    render(LinkPage, { path: "/a/tok" });
    expect(await screen.findByText(/ended without words/)).toBeTruthy();
});

test("an approval shows exactly what would run, and what hides in it", async () => {
    gateway({ body: approval() });
    const { container } = render(LinkPage, { path: "/p/tok" });
    await screen.findByText("Approval 7");
    expect(container.querySelector("pre")?.textContent).toBe("rm -rf <U+202E>build");
    expect(screen.getByText("High risk")).toBeTruthy();
    expect(screen.getByText("lanyard approve 7")).toBeTruthy();
    expect(screen.getByText(/No answer counts as no, in 1 min/)).toBeTruthy();
});

test("the time left is the gateway's, whatever this phone's clock says", async () => {
    const ahead = Date.now() + 3_600_000;
    gateway({ body: { ...approval(), now: ahead, expires_at: ahead + 90_000 } });
    render(LinkPage, { path: "/p/tok" });
    expect(await screen.findByText(/No answer counts as no, in 1 min/)).toBeTruthy();
});

test("on a paired phone it leads to where it is answered, and nobody is sent to the desk", async () => {
    const disk = await Shelf.open();
    await disk.pair({ id: "p", name: "Ada's phone", scopes: ["read", "approve"], refresh_token: "", keys: {} as CryptoKeyPair, pending: null, skew: 0 });
    gateway({ body: approval() });
    render(LinkPage, { path: "/p/tok" });
    expect((await screen.findByRole("link", { name: "Answer here" })).getAttribute("href")).toBe("/#/approvals/a7");
    expect(screen.queryByText("lanyard approve 7")).toBeNull();
    expect(screen.getByRole("button", { name: "Deny" })).toBeTruthy();
    await disk.wipe();
    disk.close();
});

test("a tap on Deny denies, once", async () => {
    gateway({ body: approval() }, { body: approval("denied") });
    render(LinkPage, { path: "/p/tok" });
    const button = await screen.findByRole("button", { name: "Deny" });
    await Promise.all([fireEvent.click(button), fireEvent.click(button)]);
    expect(await screen.findByText("Denied. It did not run.")).toBeTruthy();
    expect(calls).toEqual(["GET /api/link/tok", "POST /api/link/tok/deny"]);
    expect(screen.queryByRole("button")).toBeNull();
});

test("somebody else was first: the page shows what they said", async () => {
    const gone = { status: 409, body: refusal("APPROVAL_GONE", "It is answered.", "Nothing to do.") };
    gateway({ body: approval() }, gone, { body: approval("allowed") });
    render(LinkPage, { path: "/p/tok" });
    await fireEvent.click(await screen.findByRole("button", { name: "Deny" }));
    expect(await screen.findByText("Allowed.")).toBeTruthy();
});

test("what was shown stays when the line is lost, and the button works again", async () => {
    gateway({ body: approval() }, "broken");
    render(LinkPage, { path: "/p/tok" });
    await fireEvent.click(await screen.findByRole("button", { name: "Deny" }));
    expect((await screen.findByRole("alert")).textContent).toContain("Your computer does not answer");
    await waitFor(() => expect(screen.getByRole("button", { name: "Deny" })).toHaveProperty("disabled", false));
});

test("a link that ran out says what to do, and offers no useless button", async () => {
    gateway({ status: 410, body: refusal("LINK_EXPIRED", "This link has run out.", "Text more to get a new one.") });
    render(LinkPage, { path: "/a/tok" });
    expect((await screen.findByRole("heading")).textContent).toBe("This link has run out");
    expect(screen.getByText("Text more to get a new one.")).toBeTruthy();
    expect(screen.queryByRole("button")).toBeNull();
});

test("offline, the page loads by itself when the line is back", async () => {
    vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
    gateway("broken", { body: approval() });
    render(LinkPage, { path: "/p/tok" });
    expect((await screen.findByRole("heading")).textContent).toBe("You are offline");
    window.dispatchEvent(new Event("online"));
    expect(await screen.findByText("Approval 7")).toBeTruthy();
});

test("an error of the gateway can be tried again", async () => {
    gateway({ status: 503, body: "<html>" }, { body: approval() });
    render(LinkPage, { path: "/p/tok" });
    await fireEvent.click(await screen.findByRole("button", { name: "Try again" }));
    expect(await screen.findByText("Approval 7")).toBeTruthy();
});

test("a path that is no link asks nobody", async () => {
    gateway({ body: approval() });
    for (const path of ["/", "/a/", "/a/../x", "/q/tok"]) {
        const { unmount } = render(LinkPage, { path });
        expect((await screen.findByRole("heading")).textContent).toBe("Nothing here");
        unmount();
    }
    expect(calls).toEqual([]);
});
