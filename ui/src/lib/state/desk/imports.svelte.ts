// Claude Code's own history on this computer, and taking it over.

import type { ImportFound, ImportLine, ImportProgress, Imported } from "../../api/desk";
import type { DeskReach } from "../../host/desk";
import { Problem, asProblem } from "../../problem";
import { Deed, Fetched } from "./fetched.svelte";

export class Imports {
    readonly found: Fetched<ImportFound[]>;
    readonly deed = new Deed();
    /** How far it is; none before the first file. */
    at = $state.raw<ImportProgress | null>(null);
    /** It ends after the conversation it is at. */
    stopping = $state(false);
    result = $state.raw<Imported | null>(null);

    constructor(private readonly host: DeskReach) {
        this.found = new Fetched(() => host.request<ImportFound[]>("GET", "/import"));
    }

    async take(paths: string[]): Promise<boolean> {
        this.at = this.result = null;
        this.stopping = false;
        const worked = await this.deed.run("import", async () => {
            await this.host.eachLine<ImportLine>("POST", "/import", { paths }, (line) => this.hear(line));
            if (!this.result) throw new Problem("NOT_RUNNING", "Lanyard stopped before the import was done.", "What was imported is there whole; import the rest once it runs again.");
        });
        await this.found.load();
        return worked;
    }

    async stop(): Promise<void> {
        this.stopping = true;
        try {
            await this.host.request("POST", "/import/stop");
        } catch (error) {
            this.stopping = false;
            this.deed.problem = asProblem(error);
        }
    }

    private hear(line: ImportLine): void {
        if (line.type === "progress") this.at = line;
        else this.result = line;
    }
}
