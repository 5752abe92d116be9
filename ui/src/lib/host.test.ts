import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { WebHost, answers, via } from "./host";
import { Ways } from "./ways";

const OWN = location.origin;
const NEAR = "https://192.168.1.20:7443";

type Reply = () => Response | Promise<Response>;
const json = (body: object, status = 200) => new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
const no = (code: string, status: number) => json({ type: "error", data: { code, message: code, details: { suggestion: "" } } }, status);
const silent: Reply = () => Promise.reject(new TypeError("Failed to fetch"));

let asked: { url: string; headers: Record<string, string> }[];
let replies: Record<string, Reply>;
let ways: Ways;

beforeEach(() => {
    [asked, replies] = [[], { [OWN]: () => json({ at: "own" }), [NEAR]: () => json({ at: "near" }) }];
    vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
        const whole = new URL(url, OWN);
        asked.push({ url: whole.href, headers: init.headers as Record<string, string> });
        return Promise.resolve().then(() => replies[whole.origin]?.());
    });
    ways = new Ways(OWN, async () => true);
    ways.learn({ lan: [NEAR], tunnel: null });
});

afterEach(() => vi.unstubAllGlobals());

test("a request goes to the address in use, and a tunnel is told not to answer itself", async () => {
    await ways.choose();
    expect(await via(ways)("GET", "/api/info")).toEqual({ at: "near" });
    expect(asked[0]?.headers["ngrok-skip-browser-warning"]).toBe("1");
});

test("where nobody answers, what does no harm twice goes to the next", async () => {
    await ways.choose();
    replies[NEAR] = silent;
    const ask = via(ways);
    expect(await ask("POST", "/api/stream/s", { text: "hi", client_id: "c" })).toEqual({ at: "own" });
    expect(ways.current).toBe(OWN);
});

test("what might be done twice is not sent twice, and the next request goes elsewhere", async () => {
    await ways.choose();
    replies[NEAR] = silent;
    const ask = via(ways);
    await expect(ask("POST", "/api/permission/p", { decision: "allow" })).rejects.toMatchObject({ code: "UNREACHABLE" });
    expect(asked).toHaveLength(1);
    expect(await ask("POST", "/api/permission/p", { decision: "allow" })).toEqual({ at: "own" });
});

test("a page of the tunnel's own is nobody's answer", async () => {
    replies[OWN] = () => new Response("<html>ERR_NGROK_3200</html>", { status: 404 });
    expect(await via(ways)("GET", "/api/info")).toEqual({ at: "near" });
    replies[NEAR] = () => no("NOT_FOUND", 404);
    await expect(via(ways)("GET", "/api/sessions/x")).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("another computer at the near address cannot shut this phone out; the gateway itself can", async () => {
    await ways.choose();
    replies[NEAR] = () => no("NOT_PAIRED", 401);
    expect(await via(ways)("GET", "/api/info")).toEqual({ at: "own" });
    ways.found(NEAR);
    await ways.choose();
    await expect(via(ways)("POST", "/api/push/shown", { letter: 1 })).rejects.toMatchObject({ code: "UNREACHABLE" });
    ways.found(NEAR);
    await ways.choose();
    replies[NEAR] = () => no("PHONE_REVOKED", 401);
    await expect(via(ways)("GET", "/api/info")).rejects.toMatchObject({ code: "PHONE_REVOKED" });
    ways.lost(NEAR);
    replies[OWN] = () => no("NOT_PAIRED", 401);
    await expect(via(ways)("GET", "/api/info")).rejects.toMatchObject({ code: "NOT_PAIRED" });
});

test("only a gateway answers as one", async () => {
    replies[NEAR] = () => json({ status: "ok" });
    expect(await answers(NEAR)).toBe(true);
    replies[NEAR] = () => new Response("<html>a printer</html>");
    expect(await answers(NEAR)).toBe(false);
    replies[NEAR] = silent;
    expect(await answers(NEAR)).toBe(false);
});

test("a line is opened at the nearer address, and at the other once it breaks", async () => {
    const opened: FakeSocket[] = [];
    class FakeSocket {
        static OPEN = 1;
        onclose: (() => void) | null = null;
        constructor(readonly url: URL) {
            opened.push(this);
        }
        close() {}
    }
    vi.stubGlobal("WebSocket", FakeSocket);
    const host = new WebHost({ access: async () => "t", stale: () => {} }, ways);
    const closed: string[] = [];
    const hears = { frame: () => {}, closed: (why: { code: string }) => void closed.push(why.code) };
    host.subscribe(7, hears);
    await vi.waitFor(() => expect(opened).toHaveLength(1));
    expect([opened[0]?.url.href, host.near()]).toEqual(["wss://192.168.1.20:7443/ws?after=7", true]);
    expect([host.addressOf({ url: "/m/x" }), host.elsewhere("/m/x")]).toEqual(["/m/x", `${NEAR}/m/x`]);
    opened[0]?.onclose?.();
    expect([closed, host.near()]).toEqual([["UNREACHABLE"], false]);
    host.subscribe(7, hears);
    await vi.waitFor(() => expect(opened).toHaveLength(2));
    expect(opened[1]?.url.host).toBe(location.host);
    expect(host.elsewhere("/m/x")).toBeNull();
});
