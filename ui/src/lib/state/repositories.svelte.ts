// What a forge offers to choose from. It is only ever offered: a name that is typed by hand is as good, also where a forge says
// nothing.

import type { Branches, Repositories as Listed, RepositoryShown } from "../api/wire";
import type { Host } from "../host";
import { type Problem, asProblem } from "../problem";

const USUAL = "github.com";

export class Repositories {
    /** By the forge's host. */
    private offered = $state.raw<ReadonlyMap<string, RepositoryShown[]>>(new Map());
    /** By the repository, as it was typed. */
    private branched = $state.raw<ReadonlyMap<string, string[]>>(new Map());
    /** Why nothing is offered, by the host or the repository. */
    private problems = $state.raw<ReadonlyMap<string, Problem>>(new Map());
    private readonly asking = new Set<string>();

    constructor(private readonly host: Host) {}

    /** Of the forge that is typed; of the usual one while none is. */
    of(typed: string): RepositoryShown[] {
        return this.offered.get(hostIn(typed)) ?? [];
    }

    branches(repository: string): string[] {
        return this.branched.get(repository.trim()) ?? [];
    }

    /** The branch that is meant where none is named, if that is known. */
    usualBranch(repository: string): string | null {
        const wanted = repository.trim();
        return this.of(wanted).find((one) => one.repository === wanted)?.default_branch ?? null;
    }

    problem(key: string): Problem | undefined {
        return this.problems.get(key);
    }

    /** Why nothing is offered for what is typed. */
    why(typed: string): Problem | undefined {
        return this.problems.get(hostIn(typed));
    }

    /** Asked once; again after it failed. */
    async load(typed: string): Promise<void> {
        const host = hostIn(typed);
        if (this.offered.has(host)) return;
        await this.ask(host, async () => {
            const { repositories } = await this.host.request<Listed>("GET", `/api/repositories?host=${encodeURIComponent(host)}`);
            this.offered = new Map(this.offered).set(host, repositories);
        });
    }

    async loadBranches(repository: string): Promise<void> {
        const wanted = repository.trim();
        if (!/.\/./.test(wanted) || this.branched.has(wanted)) return;
        await this.ask(wanted, async () => {
            const { branches } = await this.host.request<Branches>("GET", `/api/branches?repository=${encodeURIComponent(wanted)}`);
            this.branched = new Map(this.branched).set(wanted, branches);
        });
    }

    private async ask(key: string, work: () => Promise<void>): Promise<void> {
        if (this.asking.has(key)) return;
        this.asking.add(key);
        try {
            await work();
            const rest = new Map(this.problems);
            rest.delete(key);
            this.problems = rest;
        } catch (error) {
            this.problems = new Map(this.problems).set(key, asProblem(error));
        }
        this.asking.delete(key);
    }
}

/** `gitlab.com/a/b`, `https://gitlab.com/a/b`; a name without a dot before its first slash is no host. */
export function hostIn(typed: string): string {
    const plain = typed.trim().replace(/^[a-z+]+:\/\//i, "").replace(/^[^/@]*@/, "");
    const first = /^([^/:]+(?::\d+)?)[/:]/.exec(plain)?.[1] ?? "";
    return first.includes(".") ? first.toLowerCase() : USUAL;
}
