// Where in the window a person is: a screen, what of it, and what was asked of it. It stands behind the `#`.

export const SCREENS = ["home", "sessions", "tasks", "approvals", "phones", "pair", "activity", "usage", "settings", "setup"] as const;
export type Screen = (typeof SCREENS)[number];

export interface Place {
    screen: Screen;
    /** A session, a task, a step, a section. */
    id: string | null;
    query: Readonly<Record<string, string>>;
}

export class Places {
    place = $state.raw<Place>({ screen: "home", id: null, query: {} });

    start(): () => void {
        const read = () => (this.place = placeIn(location.hash));
        read();
        window.addEventListener("hashchange", read);
        return () => window.removeEventListener("hashchange", read);
    }

    /** `/sessions/{id}?at=7`; back leads here again. */
    go(path: string): void {
        if (path === pathOf(this.place)) return;
        location.hash = path;
        // At once, and not only when the browser says so.
        this.place = placeIn(location.hash);
    }

    /** In place of where one is. */
    replace(path: string): void {
        history.replaceState(history.state, "", `#${path}`);
        this.place = placeIn(location.hash);
    }

    back(): void {
        history.back();
    }
}

export function placeIn(hash: string): Place {
    const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
    const [first = "", second] = path.split("/");
    const screen = SCREENS.find((name) => name === first) ?? "home";
    return { screen, id: second ? decodeURIComponent(second) : null, query: Object.fromEntries(new URLSearchParams(query)) };
}

export function pathOf({ screen, id, query }: Place): string {
    const path = screen === "home" ? "/" : `/${screen}${id === null ? "" : `/${encodeURIComponent(id)}`}`;
    const words = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "")).toString();
    return words === "" ? path : `${path}?${words}`;
}
