// What a page shows a session with, be it a phone's or the window on the computer itself.

import { getContext, setContext } from "svelte";
import type { ChannelWord, ScopeWord } from "../api/wire";
import type { Approvals } from "./approvals.svelte";
import type { Connection } from "./connection.svelte";
import type { House } from "./house.svelte";
import type { Letters } from "./letters.svelte";
import type { Outbox } from "./outbox.svelte";
import type { Pictures } from "./pictures.svelte";
import type { Repositories } from "./repositories.svelte";
import type { Sessions } from "./sessions.svelte";
import type { Tasks } from "./tasks.svelte";
import type { Wishes } from "./wishes.svelte";

/** What is written and not said, by session. */
export interface Drafts {
    get(session: string): string | undefined;
    /** Nothing written: there is none any more. */
    set(session: string, words: string): void;
}

export interface Here {
    readonly connection: Connection;
    readonly sessions: Sessions;
    readonly tasks: Tasks;
    readonly wishes: Wishes;
    readonly repositories: Repositories;
    readonly approvals: Approvals;
    readonly outbox: Outbox;
    readonly house: House;
    readonly pictures: Pictures;
    readonly letters: Letters;
    readonly drafts: Drafts;
    /** How words that are said here are marked. */
    readonly channel: ChannelWord;
    may(scope: ScopeWord): boolean;
    /** Ends the running turn. */
    interrupt(session: string): Promise<unknown>;
}

/** Under which components find it. */
export const HERE = Symbol("here");

export function provideHere<T extends Here>(here: T): T {
    return setContext(HERE, here);
}

export function useHere(): Here {
    return getContext<Here>(HERE);
}
