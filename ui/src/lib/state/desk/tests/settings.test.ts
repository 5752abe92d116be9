import { beforeEach, expect, test } from "vitest";
import type { Field } from "../../../api/desk";
import { Problem } from "../../../problem";
import { Settings, at, nested } from "../settings.svelte";
import { FakeDesk, asked } from "./stand";

let host: FakeDesk;
let settings: Settings;
const field = (key: string, usual: Field["default"], restart = false): Field => ({ key, kind: "number", label: key, help: "", default: usual, section: key.split(".")[0] ?? "", advanced: false, restart });
const DAY = field("spend.day", 20);
const WARM = field("agent.warm", true, true);

beforeEach(async () => {
    host = new FakeDesk();
    const kept = { values: { spend: { day: 5 } }, fields: [DAY, WARM], path: "/c", restart_needed: false, waiting: [] };
    host.answers = { "GET /settings": () => kept, "PATCH /settings": (body) => ({ ...kept, values: body, restart_needed: true }) };
    settings = new Settings(host);
    await settings.kept.load();
});

test("a value is what was changed, else what is kept, else what is usual", () => {
    expect([settings.valueOf(DAY), settings.valueOf(WARM)]).toEqual([5, true]);
    settings.set(DAY, 9);
    expect(settings.valueOf(DAY)).toBe(9);
});

test("a change taken back is none", () => {
    settings.set(DAY, 9);
    settings.set(DAY, 5);
    expect(settings.changed.size).toBe(0);
});

test("only what was changed is sent, nested as the file is, and a restart is said to be needed", async () => {
    settings.set(DAY, 9);
    settings.set(WARM, false);
    expect(await settings.save()).toBe(true);
    expect(asked(host, "PATCH /settings")).toEqual([{ spend: { day: 9 }, agent: { warm: false } }]);
    expect([settings.changed.size, settings.restartNeeded]).toEqual([0, true]);
});

test("a value that is refused stays to be mended, and names its setting", async () => {
    host.answers["PATCH /settings"] = () => {
        throw Object.assign(new Problem("CONFIG_INVALID", "No.", "Mend it."), { key: "spend.day" });
    };
    settings.set(DAY, -1);
    expect(await settings.save()).toBe(false);
    expect([settings.valueOf(DAY), settings.deed.problem?.key]).toEqual([-1, "spend.day"]);
});

test("keys and their places in the file", () => {
    expect(at({ spend: { day: 5 } }, "spend.day")).toBe(5);
    expect(at({ spend: { day: 5 } }, "spend.none")).toBeUndefined();
    expect(nested(new Map([["a.b", 1], ["a.c", 2]]))).toEqual({ a: { b: 1, c: 2 } });
});
