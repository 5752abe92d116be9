// Claude Code's own history on this computer, and taking it over.

import type { ImportFound, ImportLine, Imported } from "../../api/desk";
import type { DeskReach } from "../../host/desk";
import { Deed, Fetched } from "./fetched.svelte";

export class Imports {
    readonly found: Fetched<ImportFound[]>;
    readonly deed = new Deed();
    /** How many files are done. */
    done = $state(0);
    result = $state.raw<Imported | null>(null);

    constructor(private readonly host: DeskReach) {
        this.found = new Fetched(() => host.request<ImportFound[]>("GET", "/import"));
    }

    async take(paths: string[]): Promise<boolean> {
        this.done = 0;
        this.result = null;
        const worked = await this.deed.run("import", () => this.host.eachLine<ImportLine>("POST", "/import", { paths }, (line) => this.hear(line)));
        await this.found.load();
        return worked;
    }

    private hear(line: ImportLine): void {
        if (line.type === "progress") this.done = line.done;
        else this.result = line;
    }
}
