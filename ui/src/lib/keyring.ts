// What lets this phone in: a key of its own that cannot be read, a refresh token that works once, an access token for a
// quarter of an hour. The page and the service worker use it alike, so a renewal is under a lock that all of them see.

import type { Pair, Refresh, Tokens, You } from "./api/wire";
import { reach } from "./host";
import { Problem } from "./problem";
import type { Paired, Shelf } from "./shelf";

type Ask = <T>(method: "POST", path: string, body: unknown) => Promise<T>;

/** An access token this close to its end is renewed first. */
const MARGIN_MS = 45_000;
const CURVE = { name: "ECDSA", namedCurve: "P-256" };

export class Keyring {
    private held: { token: string; until: number } | null = null;
    private renewing: Promise<string> | null = null;

    constructor(
        private readonly shelf: Shelf,
        private readonly ask: Ask = reach,
        private readonly now: () => number = Date.now,
    ) {}

    /** Makes a key, trades the code for tokens, keeps both. */
    async pair(code: string, name: string): Promise<You> {
        const keys = (await crypto.subtle.generateKey(CURVE, false, ["sign", "verify"])) as CryptoKeyPair;
        const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", keys.publicKey);
        const public_key = { kty: kty ?? "", crv: crv ?? "", x: x ?? "", y: y ?? "" };
        const tokens = await this.ask<Tokens>("POST", "/api/pair", { code, name, public_key } satisfies Pair);
        // What an earlier pairing left belongs to another owner, for all this phone knows.
        await this.shelf.wipe();
        await this.take(tokens, keys);
        return tokens.you;
    }

    /** A token that is good for a request now. Throws `Problem`. */
    async access(): Promise<string> {
        if (this.held && this.held.until - MARGIN_MS > this.now()) return this.held.token;
        this.renewing ??= alone(() => this.renew()).finally(() => (this.renewing = null));
        return this.renewing;
    }

    stale(token: string): void {
        if (this.held?.token === token) this.held = null;
    }

    async forget(): Promise<void> {
        this.held = null;
        await this.shelf.wipe();
    }

    private async renew(): Promise<string> {
        const paired = await this.shelf.paired();
        if (!paired) throw new Problem("NOT_PAIRED", "This phone is not paired.", "Scan the QR code that Lanyard shows on your computer.");
        const tokens = await this.exchange(paired);
        await this.take(tokens, paired.keys);
        return tokens.access_token;
    }

    private async exchange(paired: Paired): Promise<Tokens> {
        const refresh = await this.signed(paired);
        try {
            return await this.ask<Tokens>("POST", "/api/token/refresh", refresh);
        } catch (error) {
            if (!(error instanceof Problem) || error.code !== "CLOCK_WRONG" || error.now === null) throw error;
            const corrected = { ...paired, pending: null, skew: error.now - this.now() };
            return await this.ask<Tokens>("POST", "/api/token/refresh", await this.signed(corrected));
        }
    }

    /** On disk before it is sent: if its answer is lost, even with the page, the very same is sent again. */
    private async signed(paired: Paired): Promise<Refresh> {
        if (paired.pending?.refresh_token === paired.refresh_token) return paired.pending;
        const at = this.now() + paired.skew;
        const words = new TextEncoder().encode(`lanyard-refresh\n${at}\n${paired.refresh_token}`);
        const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, paired.keys.privateKey, words);
        const pending: Refresh = { refresh_token: paired.refresh_token, at, signature: base64(new Uint8Array(signature)) };
        await this.shelf.pair({ ...paired, pending });
        return pending;
    }

    private async take(tokens: Tokens, keys: CryptoKeyPair): Promise<void> {
        const { you, refresh_token, access_token, expires_in, now } = tokens;
        await this.shelf.pair({ id: you.id ?? "", name: you.name, scopes: you.scopes, refresh_token, keys, pending: null, skew: now - this.now() });
        this.held = { token: access_token, until: this.now() + expires_in * 1000 };
    }
}

/** Two pages that used the same refresh token would look like a thief and the owner: one at a time. */
function alone<T>(work: () => Promise<T>): Promise<T> {
    return typeof navigator !== "undefined" && "locks" in navigator ? (navigator.locks.request("lanyard-refresh", work) as Promise<T>) : work();
}

export function base64(bytes: Uint8Array): string {
    let text = "";
    for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
    return btoa(text);
}
