// Claude Code's own history on this computer, and taking it over.

import type { Importable, Imported } from "../../api/desk";
import type { DeskReach } from "../../host/desk";
import { Deed, Fetched } from "./fetched.svelte";

type Line = Partial<Imported> & { done?: number; of?: number; path?: string };

export class Imports {
    readonly found: Fetched<Importable[]>;
    readonly deed = new Deed();
    /** How many files are done. */
    done = $state(0);
    result = $state.raw<Imported | null>(null);

    constructor(private readonly host: DeskReach) {
        this.found = new Fetched(() => host.request<Importable[]>("GET", "/import"));
    }

    async take(paths: string[]): Promise<boolean> {
        this.done = 0;
        this.result = null;
        const worked = await this.deed.run("import", () => this.host.lines<Line>("POST", "/import", { paths }, (line) => this.hear(line)));
        await this.found.load();
        return worked;
    }

    private hear(line: Line): void {
        if (line.skipped) this.result = { sessions: line.sessions ?? 0, events: line.events ?? 0, skipped: line.skipped };
        else this.done = line.done ?? this.done + 1;
    }
}
