// Tasks that are wished for here.

import type { MakeTask, TaskShown } from "../api/wire";
import type { Host } from "../host";
import type { Shelf, Wished } from "../shelf";
import { type Draft, EMPTY, draftOf } from "../task";
import { Sending } from "./sending.svelte";

/** What became of a wish at the first try. */
export type Made = { kind: "made"; task: TaskShown } | { kind: "waits" } | { kind: "refused"; problem: NonNullable<Wished["problem"]> };

export class Wishes extends Sending<Wished> {
    /** What is written and not wished for. */
    draft = $state<Draft>({ ...EMPTY });
    /** What those became that somebody waits for. */
    private readonly answers = new Map<string, TaskShown | null>();

    constructor(
        private readonly host: Host,
        shelf: Pick<Shelf, "wishes" | "putWish" | "dropWish">,
        /** Whether there is a line to send them over now. */
        private readonly live: () => boolean,
        private readonly made: (task: TaskShown) => void,
    ) {
        super({ all: () => shelf.wishes(), put: (wish) => shelf.putWish(wish), drop: (id) => shelf.dropWish(id) });
    }

    /** Without a line it waits; what is refused at once was never wished for. */
    async make(make: MakeTask): Promise<Made> {
        const { client_id } = await this.add({ make });
        if (!this.live()) return { kind: "waits" };
        this.answers.set(client_id, null);
        await this.flush();
        const task = this.answers.get(client_id);
        this.answers.delete(client_id);
        if (task) return { kind: "made", task };
        const problem = this.get(client_id)?.problem;
        if (!problem) return { kind: "waits" };
        await this.drop(client_id);
        return { kind: "refused", problem };
    }

    /** Back into the form, to be changed. */
    async edit(clientId: string, skew: number): Promise<boolean> {
        const wish = await this.takeBack(clientId);
        if (wish) this.draft = draftOf(wish.make, skew);
        return wish !== undefined;
    }

    protected override async deliver({ client_id, make }: Wished): Promise<void> {
        const task = await this.host.request<TaskShown>("POST", "/api/tasks", { ...make, client_id });
        this.made(task);
        if (this.answers.has(client_id)) this.answers.set(client_id, task);
        await this.drop(client_id);
    }
}
