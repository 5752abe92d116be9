// Looking for words in what this phone keeps, told as the gateway tells its finds.

import type { SearchHit, SessionShown } from "./api/wire";
import { type Fact, type Shelf, sessionOf, timeOf } from "./shelf";

const MOST = 30;
const AROUND = 60;
/** The private characters between which a gateway's snippet holds what matches. */
const MARKS = ["\uE000", "\uE001"] as const;

export async function hitsIn(shelf: Shelf, words: string, sessions: ReadonlyMap<string, SessionShown>): Promise<SearchHit[]> {
    const wanted = words.toLocaleLowerCase();
    const facts = await shelf.search((frame) => wordsOf(frame).toLocaleLowerCase().includes(wanted), MOST);
    return facts.map((frame) => {
        const session = sessions.get(sessionOf(frame));
        return {
            seq: frame.seq,
            session_id: sessionOf(frame),
            session_number: session?.number ?? 0,
            session_title: session?.title ?? "",
            at: timeOf(frame) ?? 0,
            kind: frame.type === "streamData" && frame.data.kind === "said" ? "said" : "answered",
            snippet: snippet(wordsOf(frame), wanted),
        };
    });
}

function wordsOf(frame: Fact): string {
    return frame.type === "streamData" && (frame.data.kind === "said" || frame.data.kind === "text") ? frame.data.text : "";
}

function snippet(text: string, wanted: string): string {
    const at = text.toLocaleLowerCase().indexOf(wanted);
    const from = Math.max(0, at - AROUND);
    const end = at + wanted.length;
    const before = (from > 0 ? "…" : "") + text.slice(from, at);
    const after = text.slice(end, end + AROUND) + (end + AROUND < text.length ? "…" : "");
    return before + MARKS[0] + text.slice(at, end) + MARKS[1] + after;
}

export interface Part {
    text: string;
    match: boolean;
}

/** What Markdown is drawn from and nobody reads. */
const SIGNS = /`+|\*\*|^#+ /gm;

/** A snippet's parts; that of an agent's words is read without Markdown's signs. */
export function parts(snippet: string, markdown = false): Part[] {
    return (markdown ? snippet.replaceAll(SIGNS, "") : snippet)
        .split(MARKS[0])
        .flatMap((text, index): Part[] => {
            if (index === 0) return [{ text, match: false }];
            const [match = "", rest = ""] = text.split(MARKS[1]);
            return [
                { text: match, match: true },
                { text: rest, match: false },
            ];
        })
        .filter((part) => part.text !== "");
}
