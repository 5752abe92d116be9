import { beforeEach, expect, test } from "vitest";
import type { Pair, Refresh, Tokens } from "./api/wire";
import { Keyring } from "./keyring";
import { Problem } from "./problem";
import type { Shelf } from "./shelf";
import { cutOff, shelf } from "./state/tests/stand";

/** A gateway that rotates refresh tokens and counts every one that is used twice. */
class Door {
    key: CryptoKey | null = null;
    current = "r0";
    reused = 0;
    rotations = 0;
    asked: Refresh[] = [];
    /** Throws after it has done its work, or before. */
    lose: "answer" | "request" | null = null;
    clock = 0;
    private readonly answered = new Map<string, Tokens>();

    ask = async <T>(_method: "POST", path: string, body: unknown): Promise<T> => {
        if (path === "/api/pair") {
            this.key = await crypto.subtle.importKey("jwk", (body as Pair).public_key as JsonWebKey, { name: "ECDSA", namedCurve: "P-256" }, true, ["verify"]);
            return this.tokens() as T;
        }
        return (await this.refresh(body as Refresh)) as T;
    };

    private async refresh(refresh: Refresh): Promise<Tokens> {
        if (this.lose === "request") throw cutOff();
        this.asked.push(refresh);
        const words = JSON.stringify(refresh);
        const known = this.answered.get(words);
        if (known) return known;
        if (refresh.refresh_token !== this.current) {
            this.reused++;
            throw new Problem("PHONE_REVOKED", "Used twice.", "");
        }
        await this.verify(refresh);
        this.current = `r${++this.rotations}`;
        const tokens = this.tokens();
        this.answered.set(words, tokens);
        if (this.lose === "answer") throw cutOff();
        return tokens;
    }

    private async verify({ at = 0, refresh_token, signature = "" }: Refresh): Promise<void> {
        if (Math.abs(at - this.clock) > 300_000) throw Object.assign(new Problem("CLOCK_WRONG", "Wrong.", ""), { now: this.clock });
        const bytes = Uint8Array.from(atob(signature), (c) => c.charCodeAt(0));
        const words = new TextEncoder().encode(`lanyard-refresh\n${at}\n${refresh_token}`);
        if (!this.key || !(await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, this.key, bytes, words))) throw new Problem("SIGNATURE_WRONG", "Wrong.", "");
    }

    private tokens(): Tokens {
        return { access_token: `a${this.rotations}`, expires_in: 900, refresh_token: this.current, you: { kind: "phone", id: "p", name: "Phone", scopes: ["read"] }, now: this.clock };
    }
}

let door: Door;
let disk: Shelf;
let now: number;
const keyring = () => new Keyring(disk, door.ask, () => now);

beforeEach(async () => {
    [door, disk, now] = [new Door(), await shelf(), 1_000_000];
    door.clock = now;
    await keyring().pair("code", "Phone");
});

test("the private key cannot be read", async () => {
    const paired = await disk.paired();
    expect(paired?.keys.privateKey.extractable).toBe(false);
});

test("a token is used until it nearly runs out, then renewed with a signature", async () => {
    const keys = keyring();
    expect(await keys.access()).toBe("a1");
    expect(await keys.access()).toBe("a1");
    now = door.clock = now + 14.5 * 60_000;
    expect(await keys.access()).toBe("a2");
    expect([door.rotations, door.reused]).toEqual([2, 0]);
});

test("many that need a token at once cause one renewal", async () => {
    const keys = keyring();
    expect(await Promise.all([keys.access(), keys.access(), keys.access()])).toEqual(["a1", "a1", "a1"]);
    expect(door.rotations).toBe(1);
});

test("a lost answer is asked for with the very same request, also by the next page", async () => {
    door.lose = "answer";
    await expect(keyring().access()).rejects.toThrow();
    door.lose = null;
    now += 60_000;
    expect(await keyring().access()).toBe("a1");
    expect(door.asked[0]).toEqual(door.asked[1]);
    expect([door.rotations, door.reused]).toEqual([1, 0]);
});

test("a request that never arrived is signed anew when its time is too old", async () => {
    door.lose = "request";
    await expect(keyring().access()).rejects.toThrow();
    door.lose = null;
    now = door.clock = now + 3_600_000;
    expect(await keyring().access()).toBe("a1");
    expect(door.reused).toBe(0);
});

test("a phone whose clock is wrong signs with the gateway's", async () => {
    now += 7 * 24 * 3_600_000;
    expect(await keyring().access()).toBe("a1");
    // Learnt with the answer: the next renewal is right at once.
    door.asked = [];
    now += 3_600_000;
    door.clock += 3_600_000;
    expect(await keyring().access()).toBe("a2");
    expect(door.asked).toHaveLength(1);
});

test("a refused token is not used again", async () => {
    const keys = keyring();
    keys.stale(await keys.access());
    expect(await keys.access()).toBe("a2");
});

test("a forgotten phone has nothing to renew with", async () => {
    const keys = keyring();
    await keys.forget();
    await expect(keys.access()).rejects.toMatchObject({ code: "NOT_PAIRED" });
    expect(await disk.paired()).toBeUndefined();
});
