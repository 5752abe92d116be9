import { expect, test } from "vitest";
import { Problem } from "../../problem";
import { Lock } from "../lock.svelte";
import { FakeHost, cutOff } from "./stand";

function lock(answer: () => unknown): Lock {
    const host = new FakeHost();
    host.answers["POST /api/lock"] = answer;
    return new Lock(host);
}

test("a phone locks everything, and knows when somebody was quicker", async () => {
    const first = lock(() => ({ revoked: 2 }));
    await first.all();
    const late = lock(() => {
        throw new Problem("LOCKED", "Lanyard is locked.", "Unlock it at the desk.");
    });
    await late.all();
    expect([first.done, late.done, late.problem]).toEqual([true, true, null]);
});

test("a lock that did not reach the computer is said, and can be tried again", async () => {
    const cut = lock(() => {
        throw cutOff();
    });
    await cut.all();
    expect([cut.done, cut.busy, cut.problem?.message]).toEqual([false, false, "Your computer does not answer."]);
});
