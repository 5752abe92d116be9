// Where one reads in a history whose items are measured only when they come into sight: what moves by itself is not a person
// moving, so that being away from the end is decided by wheel, keys and hand.

/** Closer than this is the end. */
const AT_END_PX = 48;
/** A turn of the wheel goes on moving for as long. */
const COASTS_MS = 700;
/** What is measured anew moves the place once more, some frames later, which takes a busy computer so long. */
const SETTLES_MS = 1_500;

export class Reading {
    scroller = $state<HTMLElement>();
    /** Somebody reads above the end. */
    isAway = $state(false);
    private moved = -COASTS_MS;
    private changed = -SETTLES_MS;
    private holding = false;

    /** A person moves it. */
    touched = (event: Event): void => {
        this.moved = performance.now();
        if (event.type === "pointerdown") this.holding = true;
    };

    /** The bar is let go. */
    released = (): void => {
        this.holding = false;
    };

    /** `end`: what is shown last is the end of all. */
    scrolled(end: boolean): void {
        const el = this.scroller;
        if (!el) return;
        const now = performance.now();
        const atEnd = end && el.scrollHeight - el.scrollTop - el.clientHeight <= AT_END_PX;
        const byHand = this.holding || now - this.moved < COASTS_MS;
        const settles = now - this.changed < SETTLES_MS;
        if (atEnd) this.isAway = false;
        else if (byHand || !settles) this.isAway = true;
        else if (!this.isAway) this.down();
    }

    leave(): void {
        this.isAway = true;
    }

    toEnd(): void {
        this.isAway = false;
        this.changed = performance.now();
        this.down();
    }

    private down(): void {
        if (this.scroller) this.scroller.scrollTop = this.scroller.scrollHeight;
    }

    /** Watches what is shown grow, and the room for it shrink. */
    content = (inside: HTMLElement): (() => void) => {
        const watcher = new ResizeObserver(() => {
            this.changed = performance.now();
            if (!this.isAway) this.down();
        });
        watcher.observe(inside);
        if (inside.parentElement) watcher.observe(inside.parentElement);
        window.addEventListener("pointerup", this.released);
        return () => {
            watcher.disconnect();
            window.removeEventListener("pointerup", this.released);
        };
    };
}
