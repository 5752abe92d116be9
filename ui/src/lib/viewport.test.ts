import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { watchViewport } from "./viewport";

/** What can be seen of the page. */
class View extends EventTarget {
    width = 360;
    height = 740;
    scale = 1;
    offsetTop = 0;

    is(change: Partial<Pick<View, "width" | "height" | "scale" | "offsetTop">>): void {
        Object.assign(this, change);
        this.dispatchEvent(new Event("resize"));
    }
}

let view: View;
let root: HTMLElement;
let stop: () => void;
const scrolled = vi.fn();

beforeEach(() => {
    view = new View();
    root = document.createElement("div");
    vi.stubGlobal("visualViewport", view);
    vi.stubGlobal("scrollTo", scrolled.mockReset());
    stop = watchViewport(root);
});

afterEach(() => {
    stop();
    vi.unstubAllGlobals();
});

const seen = () => [root.style.getPropertyValue("--height"), root.hasAttribute("data-keyboard")];

test("the page is as high as what can be seen, and knows a keyboard from an address bar", () => {
    expect(seen()).toEqual(["740px", false]);
    view.is({ height: 684 });
    expect(seen()).toEqual(["684px", false]);
    view.is({ height: 420 });
    expect(seen()).toEqual(["420px", true]);
    view.is({ height: 740 });
    expect(seen()).toEqual(["740px", false]);
});

test("a phone that is turned has no keyboard for being less high", () => {
    view.is({ width: 740, height: 360 });
    expect(seen()).toEqual(["360px", false]);
    view.is({ height: 180 });
    expect(seen()).toEqual(["180px", true]);
});

test("zooming in by fingers changes nothing", () => {
    view.is({ scale: 2, height: 370 });
    expect(seen()).toEqual(["740px", false]);
});

test("what lies under the keyboard is not scrolled to", () => {
    view.is({ height: 420 });
    expect(scrolled).not.toHaveBeenCalled();
    view.is({ offsetTop: 200 });
    expect(scrolled).toHaveBeenCalledWith(0, 0);
});

test("it ends, and does nothing where a browser tells nothing", () => {
    stop();
    view.is({ height: 420 });
    expect(seen()).toEqual(["740px", false]);
    vi.stubGlobal("visualViewport", null);
    expect(() => watchViewport(root)()).not.toThrow();
});
