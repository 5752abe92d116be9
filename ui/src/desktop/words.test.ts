import { expect, test } from "vitest";
import type { HouseStatus } from "../lib/api/wire";
import { dollars, tokens } from "../lib/money";
import { dayOf, shortDay } from "./days";
import { house } from "./standing";

test("sums are read as people read them", () => {
    expect([0, 0.001, 0.42, 1204].map(dollars)).toEqual(["$0.00", "< $0.01", "$0.42", "$1,204.00"]);
    expect([0, 840, 12_400, 240_000, 3_100_000].map(tokens)).toEqual(["0", "840", "12.4k", "240k", "3.1M"]);
});

test("days are near before they are dates", () => {
    const now = new Date(2026, 10, 21, 12).getTime();
    expect([dayOf(now, now), dayOf(now - 86_400_000, now)]).toEqual(["Today", "Yesterday"]);
    expect(dayOf(now - 7 * 86_400_000, now)).toContain("14");
    expect(shortDay("2026-03-05")).toContain("5");
});

const status = (change: Partial<HouseStatus> = {}): HouseStatus => ({ sandbox: "ready", sandbox_says: null, tunnel: null, tunnel_state: "off", tunnel_says: null, lan: [], sessions: { active: 0, max: 4 }, ...change });

test("what needs the owner is said before what only goes on", () => {
    expect(house(true, status(), 0, 0).says).toBe("All is well");
    expect(house(true, status(), 0, 2).kind).toBe("working");
    expect(house(true, status(), 1, 2).says).toBe("One question waits");
    expect(house(true, status({ sandbox: "trouble" }), 1, 2).kind).toBe("broken");
    expect(house(true, status(), 0, 0, [{ id: "key", state: "todo", says: "" }]).says).toBe("Anthropic key is missing");
    expect(house(true, status(), 0, 0, [{ id: "texting", state: "todo", says: "" }]).says).toBe("All is well");
    expect(house(false, status(), 0, 0).kind).toBe("off");
});
