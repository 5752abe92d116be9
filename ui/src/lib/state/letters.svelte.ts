// Where what was said to a person went, as it stands now: by the number of the event that said it.

import type { Frame, LettersFact, Sent } from "../api/wire";

/** As many as a person looks back at; the history itself says the rest. */
const MOST = 400;

export class Letters {
    private known = $state.raw<ReadonlyMap<number, Sent[]>>(new Map());

    /** What is newer than what the event said of it; nothing, if nothing is. */
    get(seq: number): Sent[] | undefined {
        return this.known.get(seq);
    }

    welcome(letters: LettersFact[]): void {
        this.put(letters);
    }

    hear(frame: Frame): void {
        if (frame.type === "status" && frame.data.kind === "letters") this.put([frame.data]);
    }

    private put(letters: LettersFact[]): void {
        const known = new Map(this.known);
        for (const { seq, sent } of letters) {
            known.delete(seq);
            known.set(seq, sent);
        }
        this.known = new Map([...known].slice(-MOST));
    }
}
