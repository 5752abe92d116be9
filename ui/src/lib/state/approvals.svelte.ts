// What waits for the owner's word, and what became of what did. The first answer wins, from wherever it comes.

import type { ApprovalShown, ApprovalState, DecideWord, Frame, Resolved } from "../api/wire";
import type { Host } from "../host";
import { type Problem, asProblem } from "../problem";

export interface Verdict {
    state: ApprovalState;
    /** By whom, where it is known. */
    by: Pick<Resolved, "channel" | "by"> | null;
}

export interface Word {
    decision: DecideWord;
    answer?: string;
    message?: string;
    pin?: string;
}

/** The gateway takes the word only with the owner's PIN. */
const ASKS_PIN = ["PIN_NEEDED", "PIN_WRONG"];

/** Settled ones stay in sight for a while. */
const SETTLED_KEPT = 10;

export class Approvals {
    private known = $state.raw<ReadonlyMap<string, ApprovalShown>>(new Map());
    private verdicts = $state.raw<ReadonlyMap<string, Verdict>>(new Map());
    /** The ones this phone is answering now. */
    private answering = $state.raw<ReadonlyMap<string, DecideWord>>(new Map());
    /** What was said and is taken only with the owner's PIN. */
    private unproven = $state.raw<ReadonlyMap<string, Word>>(new Map());
    private problems = $state.raw<ReadonlyMap<string, Problem>>(new Map());
    /** The gateway has said what is open since this page was opened. */
    certain = $state(false);

    readonly open = $derived([...this.known.values()].filter((a) => this.stateOf(a) === "open").sort((a, b) => a.number - b.number));
    readonly settled = $derived([...this.known.values()].filter((a) => this.stateOf(a) !== "open").sort((a, b) => b.asked_at - a.asked_at));

    constructor(private readonly host: Host) {}

    get(id: string): ApprovalShown | undefined {
        return this.known.get(id);
    }

    stateOf(approval: ApprovalShown): ApprovalState {
        return this.verdicts.get(approval.id)?.state ?? approval.state;
    }

    verdict(id: string): Verdict | undefined {
        return this.verdicts.get(id);
    }

    deciding(id: string): DecideWord | undefined {
        return this.answering.get(id);
    }

    problem(id: string): Problem | undefined {
        return this.problems.get(id);
    }

    /** What this approval was answered with that needs the owner's PIN. */
    unprovenWord(id: string): Word | undefined {
        return this.unproven.get(id);
    }

    /** It is not said after all. */
    unsay(id: string): void {
        this.unproven = without(this.unproven, id);
        this.problems = without(this.problems, id);
    }

    openIn(session: string): ApprovalShown[] {
        return this.open.filter((approval) => approval.session_id === session);
    }

    restore(approvals: ApprovalShown[]): void {
        this.known = new Map(approvals.map((a) => [a.id, a]));
    }

    /** All that are open now: what this phone still believed open was settled while it was away. */
    welcome(open: ApprovalShown[]): void {
        const ids = new Set(open.map((a) => a.id));
        const settled = [...this.known.values()].filter((a) => !ids.has(a.id) && this.stateOf(a) !== "open");
        this.known = new Map([...settled, ...open].map((a) => [a.id, a]));
        for (const id of ids) this.verdicts = without(this.verdicts, id);
        this.certain = true;
    }

    hear(frame: Frame): void {
        if (frame.type === "permissionRequest") {
            this.known = new Map(this.known).set(frame.data.id, frame.data);
            this.trim();
        } else if (frame.type === "permissionResolved") {
            this.settle(frame.data.id, { state: frame.data.decision, by: frame.data });
        }
    }

    async answer(approval: ApprovalShown, word: Word): Promise<boolean> {
        if (this.answering.has(approval.id)) return false;
        this.answering = new Map(this.answering).set(approval.id, word.decision);
        this.problems = without(this.problems, approval.id);
        try {
            const decide = { ...word, input_hash: approval.input_hash };
            const now = await this.host.request<ApprovalShown | null>("POST", `/api/permission/${approval.id}`, decide);
            const state = now?.state && now.state !== "open" ? now.state : SAID[word.decision];
            if (!this.verdicts.has(approval.id)) this.settle(approval.id, { state, by: null });
            return true;
        } catch (error) {
            const problem = asProblem(error);
            const { pin, ...said } = word;
            const asksPin = ASKS_PIN.includes(problem.code);
            this.unproven = asksPin ? new Map(this.unproven).set(approval.id, said) : without(this.unproven, approval.id);
            // Asking for it is no trouble yet.
            if (!asksPin || pin !== undefined) this.problems = new Map(this.problems).set(approval.id, problem);
            return false;
        } finally {
            this.answering = without(this.answering, approval.id);
        }
    }

    private settle(id: string, verdict: Verdict): void {
        this.verdicts = new Map(this.verdicts).set(id, verdict);
        this.problems = without(this.problems, id);
        this.unproven = without(this.unproven, id);
        this.trim();
    }

    private trim(): void {
        const gone = new Set(this.settled.slice(SETTLED_KEPT).map((a) => a.id));
        if (gone.size === 0) return;
        this.known = new Map([...this.known].filter(([id]) => !gone.has(id)));
    }
}

const SAID: Record<DecideWord, ApprovalState> = { allow: "allowed", allow_session: "allowed_session", allow_always: "allowed_always", answer: "answered", deny: "denied" };

function without<V>(map: ReadonlyMap<string, V>, key: string): ReadonlyMap<string, V> {
    if (!map.has(key)) return map;
    const rest = new Map(map);
    rest.delete(key);
    return rest;
}
