import { beforeEach, expect, test } from "vitest";
import type { PhoneShown } from "../../../api/wire";
import { until } from "../../tests/stand";
import { Pair } from "../pair.svelte";
import { FakeDesk, asked } from "./stand";

let host: FakeDesk;
let pair: Pair;
let phones: Partial<PhoneShown>[];
let codes: number;

beforeEach(() => {
    host = new FakeDesk();
    phones = [{ id: "old", revoked_at: null }];
    codes = 0;
    const code = () => ({ url: `https://x/pair#c=${++codes}`, also: [], code: String(codes), expires_at: Date.now() + 60_000 });
    host.answers = { "GET /pairing": code, "POST /pairing": code, "GET /phones": () => ({ phones }), "POST /phones/new/not-me": () => ({ id: "new", name: "Thief", revoked_at: 5 }) };
    pair = new Pair(host);
});

test("a phone that pairs while the code is looked at shows at once, and one that was there before does not", async () => {
    const stop = pair.watch();
    await until(() => asked(host, "GET /phones").length > 0);
    expect(pair.paired).toBeNull();
    phones = [{ id: "new", name: "Ada's phone", revoked_at: null }, ...phones];
    await until(() => pair.paired !== null);
    expect(pair.paired?.name).toBe("Ada's phone");
    stop();
});

test("what just paired can be taken back", async () => {
    const stop = pair.watch();
    await until(() => asked(host, "GET /phones").length > 0);
    phones = [{ id: "new", name: "Thief", revoked_at: null }, ...phones];
    await until(() => pair.paired !== null);
    expect(await pair.takeBack()).toBe(true);
    expect(pair.paired?.revoked_at).toBe(5);
    stop();
});

test("another code is a new one", async () => {
    await pair.code.load();
    const before = pair.code.value?.url;
    await pair.anew();
    expect(pair.code.value?.url).not.toBe(before);
    expect(asked(host, "POST /pairing")).toHaveLength(1);
});
