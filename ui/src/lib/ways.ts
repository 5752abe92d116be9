// Which of the computer's addresses to use: a nearer one where it answers, another as soon as one fails. All of them lead to
// the same gateway, which knows this phone by its tokens and not by its way.

/** As the gateway tells them. */
export interface Addresses {
    /** On the local network, the best first. */
    lan: string[];
    /** The public one. */
    tunnel: string | null;
}

/** Under which name the addresses are kept. */
export const ADDRESSES = "addresses";
/** So long a line that could begin elsewhere waits for a nearer address: within one network an answer takes a fraction of it. */
const HEAD_START_MS = 400;
/** An address where nobody answered is left alone this long, as long as there is another. */
const SHUN_MS = 30_000;

export class Ways {
    /** The origin in use. */
    current: string;
    private lan: string[] = [];
    private far: string[];
    /** The page's own, where the computer says nothing of it: an address that it had, or one for those who sit at it. */
    private stray: string[] = [];
    /** When nobody answered there. */
    private readonly failed = new Map<string, number>();

    constructor(
        /** The page's own. */
        readonly own: string,
        private readonly answers: (origin: string) => Promise<boolean>,
        private readonly now: () => number = Date.now,
    ) {
        this.current = own;
        this.far = [own];
    }

    learn({ lan, tunnel }: Addresses): void {
        const known = lan.filter(isOrigin);
        // The address this page came from is the one that surely works in this browser.
        this.lan = known.includes(this.own) ? [this.own, ...known.filter((origin) => origin !== this.own)] : known;
        this.far = [tunnel !== null && isOrigin(tunnel) ? tunnel : this.own].filter((origin) => !this.lan.includes(origin));
        this.stray = [...this.lan, ...this.far].includes(this.own) ? [] : [this.own];
        if (!this.all.includes(this.current)) this.current = this.own;
    }

    /** Nearest first. */
    get all(): string[] {
        return [...this.lan, ...this.far, ...this.stray];
    }

    get near(): boolean {
        return this.lan.includes(this.current);
    }

    /** For the next line. */
    async choose(): Promise<string> {
        // One that may lead nowhere is asked first, as those nearby are: a line to nowhere takes its time to fail.
        const [near, far] = [this.untried([...this.lan, ...this.stray]), this.untried(this.far)];
        if (near.length === 0 || this.all.length === 1) return (this.current = far[0] ?? this.longestAgo());
        const answered = this.firstOf(near);
        const quick = far.length === 0 ? await answered : await Promise.race([answered, after(HEAD_START_MS)]);
        return (this.current = quick ?? far[0] ?? this.longestAgo());
    }

    /** Whether a nearer one than that in use answers now. */
    async nearer(): Promise<boolean> {
        const near = this.near ? [] : this.untried(this.lan);
        if (near.length === 0) return false;
        if ((await this.firstOf(near)) !== null) return true;
        for (const origin of near) this.failed.set(origin, this.now());
        return false;
    }

    found(origin: string): void {
        this.failed.delete(origin);
    }

    /** Nobody answers there: the next best is in use. */
    lost(origin: string): void {
        this.failed.set(origin, this.now());
        if (this.current === origin) this.current = this.untried(this.all)[0] ?? this.longestAgo();
    }

    private untried(origins: string[]): string[] {
        return origins.filter((origin) => this.now() - (this.failed.get(origin) ?? -Infinity) > SHUN_MS);
    }

    private longestAgo(): string {
        const since = (origin: string) => this.failed.get(origin) ?? -Infinity;
        return [...this.all].sort((a, b) => since(a) - since(b))[0] ?? this.own;
    }

    private firstOf(origins: string[]): Promise<string | null> {
        const tries = origins.map(async (origin) => ((await this.answers(origin)) ? origin : Promise.reject(new Error("no answer"))));
        return Promise.any(tries).catch(() => null);
    }
}

/** A content policy under which the page may speak to these origins too: the one it was kept with may be older than they are. */
export function allowing(policy: string, origins: string[]): string {
    const known = origins.filter(isOrigin);
    const lines = known.flatMap((origin) => [origin, origin.replace("http", "ws")]);
    return policy.replace(/connect-src 'self'[^;]*/, ["connect-src 'self'", ...lines].join(" ")).replace(/img-src 'self'[^;]*/, ["img-src 'self'", ...known].join(" "));
}

function isOrigin(text: string): boolean {
    return URL.canParse(text) && /^https?:/.test(text) && new URL(text).origin === text;
}

function after(ms: number): Promise<null> {
    return new Promise((resolve) => setTimeout(() => resolve(null), ms));
}
