// Whoever reads at the end stays there, and whoever reads above it is left alone.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Reading } from "../reading.svelte";

/** An element with all that a place is counted from, where nothing is laid out. */
const scroller = () => Object.defineProperties(document.createElement("main"), { scrollTop: { value: 0, writable: true }, scrollHeight: { value: 1_000, writable: true }, clientHeight: { value: 200 } });

let reading: Reading;
let el: { -readonly [K in keyof HTMLElement]: HTMLElement[K] };
let grow: () => void;
let unwatch: () => void;

beforeEach(() => {
    vi.useFakeTimers({ now: 0, toFake: ["performance"] });
    vi.stubGlobal(
        "ResizeObserver",
        class {
            constructor(changed: () => void) {
                grow = changed;
            }
            observe() {}
            disconnect() {}
        },
    );
    reading = new Reading();
    el = scroller();
    reading.scroller = el;
    unwatch = reading.content(document.createElement("div"));
    reading.toEnd();
});

afterEach(() => {
    unwatch();
    vi.unstubAllGlobals();
    vi.useRealTimers();
});

const atEnd = () => el.scrollTop >= el.scrollHeight - el.clientHeight;

function movedTo(top: number, end = true) {
    el.scrollTop = top;
    reading.scrolled(end);
}

test("what is shown grows, and its end stays in sight", () => {
    el.scrollHeight = 2_000;
    grow();
    expect(atEnd()).toBe(true);
});

test("a place that moves by itself while items are measured is put back", () => {
    grow();
    movedTo(300);
    expect([reading.isAway, atEnd()]).toEqual([false, true]);
});

test("also while it is looked whether more was said", () => {
    grow();
    movedTo(300, false);
    expect([reading.isAway, atEnd()]).toEqual([false, true]);
});

test("a hand's move is left where it is, until it comes back to the end", () => {
    grow();
    reading.touched(new Event("wheel"));
    movedTo(300);
    expect([reading.isAway, el.scrollTop]).toEqual([true, 300]);
    grow();
    expect(el.scrollTop).toBe(300);
    movedTo(790);
    expect(reading.isAway).toBe(false);
});

test("a move long after the last change is somebody's, by whatever means", () => {
    grow();
    vi.advanceTimersByTime(5_000);
    movedTo(300);
    expect([reading.isAway, el.scrollTop]).toEqual([true, 300]);
});
