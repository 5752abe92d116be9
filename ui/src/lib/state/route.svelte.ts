// Where in the page a person is. It stands behind the `#`, so that no server or tunnel learns which session is read. The tabs
// lie beside each other and everything else above them: back closes what is on top, then leads to the chat, then out.

export type Route =
    | { at: "chat"; session: string | null; seq: number | null }
    | { at: "sessions"; q: string }
    | { at: "approvals" }
    | { at: "approval"; id: string }
    | { at: "tasks" }
    | { at: "task"; id: number }
    | { at: "wish" }
    | { at: "more" };

export type Tab = "chat" | "sessions" | "approvals" | "tasks" | "more";

interface Mark {
    /** How many entries of this page lie below. */
    depth: number;
    /** Something is open above the page. */
    over?: string | undefined;
}

export class Router {
    route = $state.raw<Route>({ at: "chat", session: null, seq: null });
    /** The sheet that is open. */
    over = $state<string | null>(null);

    readonly tab: Tab = $derived(tabOf(this.route));

    start(): () => void {
        this.read();
        if (!mark()) history.replaceState({ depth: 0 } satisfies Mark, "");
        const read = () => this.read();
        window.addEventListener("popstate", read);
        return () => window.removeEventListener("popstate", read);
    }

    /** Deeper in: back leads here again. */
    go(route: Route): void {
        const here = mark();
        // What opens from a sheet takes the sheet's place.
        if (here?.over) history.replaceState({ depth: here.depth } satisfies Mark, "", address(route));
        else history.pushState({ depth: (here?.depth ?? 0) + 1 } satisfies Mark, "", address(route));
        this.read();
    }

    /** In place of where one is. */
    replace(route: Route): void {
        history.replaceState({ depth: mark()?.depth ?? 0 } satisfies Mark, "", address(route));
        this.read();
    }

    /** The chat lies at the bottom; the other tabs change places with each other above it. */
    openTab(route: Route): void {
        const depth = mark()?.depth ?? 0;
        if (depth === 0) this.go(route);
        else this.replace(route);
    }

    open(sheet: string): void {
        history.pushState({ depth: (mark()?.depth ?? 0) + 1, over: sheet } satisfies Mark, "");
        this.read();
    }

    /** Closes what is on top, or goes up to `otherwise` where nothing of this page lies below. */
    back(otherwise: Route = { at: "chat", session: null, seq: null }): void {
        if ((mark()?.depth ?? 0) > 0) history.back();
        else this.replace(otherwise);
    }

    private read(): void {
        this.route = routeIn(location.hash);
        this.over = mark()?.over ?? null;
    }
}

function tabOf({ at }: Route): Tab {
    if (at === "approval") return "approvals";
    return at === "task" || at === "wish" ? "tasks" : at;
}

function mark(): Mark | null {
    const state: unknown = history.state;
    return typeof state === "object" && state !== null && "depth" in state ? (state as Mark) : null;
}

export function address(route: Route): string {
    switch (route.at) {
        case "chat":
            return route.session === null ? "/#/" : `/#/chat/${route.session}${route.seq === null ? "" : `?at=${route.seq}`}`;
        case "sessions":
            return route.q === "" ? "/#/sessions" : `/#/sessions?q=${encodeURIComponent(route.q)}`;
        case "approval":
            return `/#/approvals/${route.id}`;
        case "task":
            return `/#/tasks/${route.id}`;
        case "wish":
            return "/#/tasks/new";
        default:
            return `/#/${route.at}`;
    }
}

export function routeIn(hash: string): Route {
    const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
    const params = new URLSearchParams(query);
    const [first, second] = path.split("/");
    if (first === "sessions") return { at: "sessions", q: params.get("q") ?? "" };
    if (first === "approvals") return second ? { at: "approval", id: second } : { at: "approvals" };
    if (first === "tasks") return second === "new" ? { at: "wish" } : Number(second) > 0 ? { at: "task", id: Number(second) } : { at: "tasks" };
    if (first === "more") return { at: "more" };
    const seq = Number(params.get("at"));
    return { at: "chat", session: first === "chat" && second ? second : null, seq: seq > 0 ? seq : null };
}
