// Whose the browser's subscription is.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Push } from "../push.svelte";
import { FakeHost, shelf } from "./stand";

class Browser {
    /** The key that the browser's subscription is for. */
    key: string | null = "old key";
    getSubscription = async () => (this.key === null ? null : this.subscription(this.key));
    subscribe = async ({ applicationServerKey: key }: { applicationServerKey: string }) => {
        if (this.key !== null && this.key !== key) throw new DOMException("another key", "InvalidStateError");
        this.key = key;
        return this.subscription(key);
    };

    private subscription(key: string) {
        const unsubscribe = async () => ((this.key = null), true);
        return { toJSON: () => ({ endpoint: `https://push.example/${key}` }), unsubscribe };
    }
}

let pushManager: Browser;

beforeEach(() => {
    pushManager = new Browser();
    const registration = { pushManager };
    vi.stubGlobal("PushManager", class {});
    vi.stubGlobal("Notification", { permission: "granted" });
    Object.defineProperty(navigator, "serviceWorker", { configurable: true, value: { ready: Promise.resolve(registration), getRegistration: async () => registration } });
});

afterEach(() => {
    vi.unstubAllGlobals();
    Reflect.deleteProperty(navigator, "serviceWorker");
});

function gateway(key: string): FakeHost {
    const host = new FakeHost();
    host.answers = { "GET /api/push": () => ({ public_key: key }), "POST /api/push": () => null };
    return host;
}

const told = (host: FakeHost) => host.asked.filter((asked) => asked.method === "POST").map((asked) => asked.body);

test("a browser that is paired anew gives its subscription to the phone it is now, once", async () => {
    const [host, notes] = [gateway("old key"), await shelf()];
    for (const phone of ["first", "first", "second", "second"]) await new Push(host, notes).belongTo(phone);
    expect(told(host)).toEqual([{ endpoint: "https://push.example/old key" }, { endpoint: "https://push.example/old key" }]);
});

test("a subscription for a key the gateway has no more is made anew", async () => {
    const host = gateway("new key");
    await new Push(host, await shelf()).belongTo("phone");
    expect(told(host)).toEqual([{ endpoint: "https://push.example/new key" }]);
});

test("what could not be told is told the next time, and without a subscription nothing is", async () => {
    const [host, notes] = [gateway("old key"), await shelf()];
    host.down = true;
    await new Push(host, notes).belongTo("phone");
    host.down = false;
    await new Push(host, notes).belongTo("phone");
    expect(told(host)).toHaveLength(1);
    pushManager.key = null;
    await new Push(host, notes).belongTo("another");
    expect(told(host)).toHaveLength(1);
});
