import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Problem } from "../../../problem";
import { Audit } from "../audit.svelte";
import { FakeDesk, asked } from "./stand";

let host: FakeDesk;
let audit: Audit;

beforeEach(() => {
    vi.useFakeTimers({ now: 1_000 });
    host = new FakeDesk();
    host.answers = { "POST /audit/verify": () => ({ rows: 7, signed: 5, broken: null }) };
    audit = new Audit(host);
});

afterEach(() => void vi.useRealTimers());

test("nobody looks through the audit unasked", () => {
    expect([asked(host, "POST /audit/verify"), audit.looked.value]).toEqual([[], null]);
});

test("what a look found is kept with its time", async () => {
    await audit.looked.load();
    expect(audit.looked.value).toEqual({ rows: 7, signed: 5, broken: null, at: 1_000 });
});

test("a look that fails leaves what the last one found, with its time, and says why", async () => {
    await audit.looked.load();
    vi.setSystemTime(9_000);
    host.answers["POST /audit/verify"] = () => {
        throw new Problem("DATABASE_DAMAGED", "The database is damaged.", "Restore the last backup.");
    };
    await audit.looked.load();
    expect([audit.looked.value?.at, audit.looked.problem?.code]).toEqual([1_000, "DATABASE_DAMAGED"]);
});
