// Where one reads in a chat: at its end, new words keep it there; anywhere else, nothing moves what is being read.

/** A thumb's tremble is not leaving. */
const AT_END_PX = 60;
const NEAR_TOP_PX = 300;

export class Follow {
    scroller = $state<HTMLElement>();
    /** Read somewhere above the end. */
    isAway = $state(false);
    nearTop = false;
    private keeping = false;
    private top = 0;
    private height = 0;

    scrolled(): void {
        const el = this.scroller;
        if (!el || this.keeping) return;
        const atEnd = el.scrollHeight - el.scrollTop - el.clientHeight <= AT_END_PX;
        // What grows or shrinks takes nobody away from the end; only going up does.
        if (atEnd) this.isAway = false;
        else if (el.scrollTop < this.top && el.scrollHeight === this.height) this.isAway = true;
        this.top = el.scrollTop;
        this.height = el.scrollHeight;
        this.nearTop = el.scrollTop < NEAR_TOP_PX;
    }

    toEnd(): void {
        this.isAway = false;
        if (this.scroller) this.scroller.scrollTop = this.scroller.scrollHeight;
    }

    leave(): void {
        this.isAway = true;
    }

    /** Watches what is shown grow, and the room for it shrink. */
    content = (inside: HTMLElement): (() => void) => {
        const watcher = new ResizeObserver(() => {
            if (!this.isAway && !this.keeping) this.toEnd();
        });
        watcher.observe(inside);
        if (inside.parentElement) watcher.observe(inside.parentElement);
        return () => watcher.disconnect();
    };

    /** What `work` adds above stays out of sight above. */
    async keep(work: () => Promise<void>): Promise<void> {
        const el = this.scroller;
        if (!el) return work();
        this.keeping = true;
        const below = el.scrollHeight - el.scrollTop;
        await work();
        el.scrollTop = el.scrollHeight - below;
        this.keeping = false;
    }
}
