import { beforeEach, expect, test } from "vitest";
import { Problem } from "../../../problem";
import { until } from "../../tests/stand";
import { Fetched } from "../fetched.svelte";
import { Home } from "../home.svelte";
import { Listing } from "../listing.svelte";
import { pathOf, placeIn } from "../place.svelte";
import { Setup } from "../setup.svelte";
import { Imports } from "../imports.svelte";
import { FakeDesk, asked } from "./stand";

let host: FakeDesk;

beforeEach(() => {
    host = new FakeDesk();
});

test("a place and its address say the same", () => {
    for (const path of ["/", "/sessions", "/sessions/abc?at=7", "/setup/key", "/settings/Spending%20and%20more"]) expect(pathOf(placeIn(`#${path}`))).toBe(path);
    expect(placeIn("#/nowhere").screen).toBe("home");
});

test("what was fetched stays while it cannot be fetched again, with the reason beside it", async () => {
    let down = false;
    const fetched = new Fetched(async () => {
        if (down) throw new Problem("UNREACHABLE", "Gone.", "Wait.");
        return 7;
    });
    await fetched.load();
    down = true;
    await fetched.load();
    expect([fetched.face, fetched.value, fetched.problem?.code]).toEqual(["ready", 7, "UNREACHABLE"]);
});

test("of two answers the later question's counts", async () => {
    const waiting: ((value: string) => void)[] = [];
    const fetched = new Fetched(() => new Promise<string>((resolve) => waiting.push(resolve)));
    const both = [fetched.load(), fetched.load()];
    waiting[1]?.("second");
    waiting[0]?.("first");
    await Promise.all(both);
    expect(fetched.value).toBe("second");
});

test("what was mended is shown as it is now", async () => {
    const broken = { what: "webhook", state: "broken" as const, says: "", mend: "", fix: "webhook.set", fix_label: null, link: null };
    host.answers = { "POST /mend/webhook.set": () => ({ ...broken, state: "well" }), "GET /home": () => ({ sandbox: { image: {} } }) };
    const home = new Home(host);
    await home.mend(broken);
    expect(home.mended.get("webhook")?.state).toBe("well");
});

test("a mend that answers for something else stays with the finding it was asked for", async () => {
    const address = { what: "address", state: "broken" as const, says: "", mend: "", fix: "tunnel.open", fix_label: null, link: null };
    host.answers = { "POST /mend/tunnel.open": () => ({ ...address, what: "tunnel", state: "well", fix: null }), "GET /home": () => ({ sandbox: { image: {} } }) };
    const home = new Home(host);
    await home.mend(address);
    expect(home.mended.get("address")).toMatchObject({ what: "address", state: "well" });
});

test("sessions are filtered by the gateway, and one that changes so that it fits comes in", async () => {
    host.answers = { "GET /api/sessions": () => ({ sessions: [], next: null }) };
    const listing = new Listing(host);
    await listing.choose({ state: "working" });
    expect(host.asked.at(-1)?.path).toContain("state=working");
    const session = { id: "s", state: "working", agent: "default", tags: [], last_at: 1 } as never as object;
    listing.hear({ type: "status", data: { kind: "session", ...session } as never });
    expect(listing.list.map(({ id }) => id)).toEqual(["s"]);
});

test("sessions of two days are those from the first's midnight to the second's end, also one that changes", async () => {
    host.answers = { "GET /api/sessions": () => ({ sessions: [], next: null }) };
    const listing = new Listing(host);
    await listing.choose({ from: "2026-11-20", to: "2026-11-21" });
    const asked = new URLSearchParams(host.asked.at(-1)?.path.split("?")[1]);
    const [from, to] = [new Date(2026, 10, 20).getTime(), new Date(2026, 10, 22).getTime()];
    expect([asked.get("from"), asked.get("to")]).toEqual([String(from), String(to)]);
    for (const last_at of [from - 1, from, to - 1, to]) listing.hear({ type: "status", data: { kind: "session", id: String(last_at), tags: [], last_at } as never });
    expect(listing.list.map(({ last_at }) => last_at)).toEqual([to - 1, from]);
});

test("a search that is overtaken by a later one shows nothing of its own", async () => {
    const waiting: Record<string, (hits: unknown) => void> = {};
    host.answers = { "GET /api/search": (_body, path) => new Promise((resolve) => (waiting[new URLSearchParams(path.split("?")[1]).get("q") ?? ""] = (hits) => resolve({ hits }))) };
    const listing = new Listing(host);
    const both = [listing.find("bill"), listing.find("billing")];
    await until(() => "billing" in waiting);
    waiting["billing"]?.([{ seq: 2 }]);
    waiting["bill"]?.([{ seq: 1 }]);
    await Promise.all(both);
    expect(listing.hits?.map(({ seq }) => seq)).toEqual([2]);
});

test("a secret that its service refuses is said to be refused", async () => {
    host.answers = { "PUT /accounts/anthropic": () => ({ checked: { ok: false, code: "KEY_REFUSED", says: "Anthropic refused it.", suggestion: "Copy it anew." } }), "GET /accounts": () => [] };
    const setup = new Setup(host);
    expect(await setup.keep("anthropic", " sk-wrong\n")).toBe(false);
    expect([setup.deed.problem?.code, setup.deed.problem?.suggestion]).toEqual(["KEY_REFUSED", "Copy it anew."]);
    expect(asked(host, "PUT /accounts/anthropic")).toEqual([{ secret: "sk-wrong" }]);
});

test("a code is shown until its owner has said yes, and what was said of the token stays", async () => {
    const code = { type: "code", code: "ABCD-1234", url: "https://github.com/login/device", expires_in: 900 };
    const done = { type: "done", account: "github", checked: { ok: true, says: "GitHub takes it: it is ada's." } };
    host.answers = { "POST /accounts/github/sign-in": () => [code, done], "GET /accounts": () => [] };
    const setup = new Setup(host);
    const heard: (string | undefined)[] = [];
    host.heard = () => heard.push(setup.code?.code);
    expect(await setup.signIn("github")).toBe(true);
    expect([heard, setup.code, setup.signedIn]).toEqual([["ABCD-1234", "ABCD-1234"], null, "GitHub takes it: it is ada's."]);

    host.answers["POST /accounts/github/sign-in"] = () => [code, { type: "refused", code: "FORGE_REFUSED", message: "The owner said no.", suggestion: "Keep a token." }];
    expect(await setup.signIn("github")).toBe(false);
    expect([setup.signing.problem?.message, setup.code, setup.signedIn]).toEqual(["The owner said no.", null, null]);
    host.answers["POST /accounts/github/sign-in"] = () => [code];
    expect(await setup.signIn("github")).toBe(false);
    expect(setup.signing.problem?.code).toBe("NOT_RUNNING");
});

test("an import tells how far it is, and what came of it", async () => {
    host.answers = { "POST /import": () => [{ type: "progress", path: "a", done: 1, of: 2, events: 5 }, { type: "done", sessions: 2, events: 9, redacted: 0, skipped: [], stopped: false }], "GET /import": () => [] };
    const imports = new Imports(host);
    expect(await imports.take(["a", "b"])).toBe(true);
    expect([imports.at?.done, imports.result?.sessions]).toEqual([1, 2]);
});

test("an import is stopped, and one that breaks off is no success", async () => {
    host.answers = { "POST /import": () => [{ type: "progress", path: "a", done: 0, of: 2, events: 0 }], "POST /import/stop": () => null, "GET /import": () => [] };
    const imports = new Imports(host);
    const taking = imports.take(["a", "b"]);
    await imports.stop();
    expect([imports.stopping, asked(host, "POST /import/stop").length]).toEqual([true, 1]);
    expect(await taking).toBe(false);
    expect([imports.deed.problem?.code, imports.result]).toEqual(["NOT_RUNNING", null]);
});
