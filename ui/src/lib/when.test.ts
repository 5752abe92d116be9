import { expect, test } from "vitest";
import { left, past } from "./when";

const now = new Date(2026, 4, 10, 14, 30).getTime();
const MINUTE = 60_000;

test("the past is said as people say it", () => {
    expect(past(now - 5_000, now)).toBe("just now");
    expect(past(now - 12 * MINUTE, now)).toBe("12 min ago");
    expect(past(now - 120 * MINUTE, now)).toMatch(/^today, /);
    expect(past(now - 20 * 60 * MINUTE, now)).toMatch(/^yesterday, /);
    expect(past(now - 400 * 24 * 60 * MINUTE, now)).toMatch(/2025/);
});

test("a clock that is behind ours is not in the future", () => expect(past(now + 3_000, now)).toBe("just now"));

test("what is left ends at nothing", () => {
    expect(left(now + 125 * MINUTE, now)).toBe("2 h 5 min");
    expect(left(now + 60 * MINUTE, now)).toBe("1 h");
    expect(left(now + 42 * MINUTE, now)).toBe("42 min");
    expect(left(now + 1_000, now)).toBe("less than a minute");
    expect(left(now, now)).toBeNull();
});
