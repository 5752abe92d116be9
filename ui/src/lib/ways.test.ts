import { beforeEach, expect, test } from "vitest";
import { Ways, allowing } from "./ways";

const [HOME, NUMBER, TUNNEL] = ["https://lanyard-desk.local:7443", "https://192.168.1.20:7443", "https://desk.example"];

let up: Set<string>;
let asked: string[];
let now: number;

/** Addresses that are not up stay silent, as those of another network do. */
const answers = (origin: string) => {
    asked.push(origin);
    return up.has(origin) ? Promise.resolve(true) : new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 700));
};

function ways(own = TUNNEL): Ways {
    const made = new Ways(own, answers, () => now);
    made.learn({ lan: [HOME, NUMBER], tunnel: TUNNEL });
    return made;
}

beforeEach(() => {
    [up, asked, now] = [new Set([HOME, NUMBER, TUNNEL]), [], 1_000_000];
});

test("a page that knows one address asks nobody", async () => {
    const alone = new Ways(TUNNEL, answers);
    expect(await alone.choose()).toBe(TUNNEL);
    expect([asked, alone.near]).toEqual([[], false]);
});

test("the nearer address is used where it answers", async () => {
    up.delete(HOME);
    const known = ways();
    expect(known.current).toBe(TUNNEL);
    expect(await known.choose()).toBe(NUMBER);
    expect(known.near).toBe(true);
});

test("where it does not answer quickly, the other is not kept waiting", async () => {
    up.clear();
    const began = Date.now();
    expect(await ways().choose()).toBe(TUNNEL);
    expect(Date.now() - began).toBeLessThan(650);
});

test("an address that failed is left alone, and another is used at once", async () => {
    const known = ways();
    await known.choose();
    const first = known.current;
    known.lost(first);
    expect([first, known.current]).toEqual([HOME, NUMBER]);
    known.lost(NUMBER);
    expect(known.current).toBe(TUNNEL);
    asked = [];
    expect([await known.choose(), asked]).toEqual([TUNNEL, []]);
    now += 31_000;
    expect(await known.choose()).toBe(HOME);
});

test("one that works again is trusted again at once", async () => {
    const known = ways();
    known.lost(HOME);
    known.found(HOME);
    expect(await known.choose()).toBe(HOME);
});

test("with every address failed the one that failed first is tried again", async () => {
    up.clear();
    const known = ways();
    for (const origin of [HOME, TUNNEL, NUMBER]) {
        known.lost(origin);
        now += 1_000;
    }
    expect(await known.choose()).toBe(HOME);
    known.lost(HOME);
    expect(await known.choose()).toBe(TUNNEL);
});

test("a phone that comes home notices, and one that is away does not ask all the time", async () => {
    up = new Set([TUNNEL]);
    const known = ways();
    await known.choose();
    expect(await known.nearer()).toBe(false);
    asked = [];
    expect([await known.nearer(), asked]).toEqual([false, []]);
    now += 31_000;
    up.add(NUMBER);
    expect(await known.nearer()).toBe(true);
    expect(await known.choose()).toBe(NUMBER);
    expect(await known.nearer()).toBe(false);
});

test("a page from the local network goes to the tunnel when it leaves", async () => {
    const known = ways(NUMBER);
    expect(known.all).toEqual([NUMBER, HOME, TUNNEL]);
    expect(known.near).toBe(true);
    up = new Set([TUNNEL]);
    known.lost(NUMBER);
    expect(await known.choose()).toBe(TUNNEL);
});

test("a page whose own address is no more takes the tunnel without waiting for it", async () => {
    const known = ways("https://192.168.9.9:7443");
    up = new Set([TUNNEL]);
    const began = Date.now();
    expect([await known.choose(), known.near]).toEqual([TUNNEL, false]);
    expect(Date.now() - began).toBeLessThan(650);
    known.lost(TUNNEL);
    expect(known.current, "not the one that leads nowhere").toBe(HOME);
});

test("a page that the computer itself opened stays where it is", async () => {
    const desk = "http://127.0.0.1:3001";
    up = new Set([desk, TUNNEL]);
    expect(await ways(desk).choose()).toBe(desk);
});

test("an address that the computer no longer has is not used any more", async () => {
    const known = ways();
    await known.choose();
    known.learn({ lan: [], tunnel: TUNNEL });
    expect([known.current, known.near]).toEqual([TUNNEL, false]);
});

test("what is no origin is not an address", () => {
    const known = new Ways(TUNNEL, answers);
    known.learn({ lan: ["javascript:alert(1)", "https://x.example/path", "https://x.example; script-src *", ""], tunnel: "nonsense" });
    expect(known.all).toEqual([TUNNEL]);
});

test("a kept page may speak to addresses that came after it, and to nobody else", () => {
    const policy = "default-src 'none'; img-src 'self' https://old.example; font-src 'self'; connect-src 'self'; base-uri 'none'";
    expect(allowing(policy, [HOME, "https://x.example; script-src *"])).toBe(
        `default-src 'none'; img-src 'self' ${HOME}; font-src 'self'; connect-src 'self' ${HOME} wss://lanyard-desk.local:7443; base-uri 'none'`,
    );
});
