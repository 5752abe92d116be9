// The window on the owner's own computer. Requests go to the page's own origin, which is the local door: in the app by a scheme of
// its own, in a browser over HTTP. Only the live line differs, for a scheme cannot carry one.

import { Channel, invoke, isTauri } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import type { ArtifactShown, Frame } from "../api/wire";
import { type Hears, type Host, type Line, type Method, reach, readFrame, socketTo } from "../host";
import { Problem, asProblem, problemIn } from "../problem";
import type { Native, NativeStatus } from "./native";

/** A few things here ask others who take their time: a check of a key, a proof of a webhook. */
const PATIENCE_MS = 60_000;

export interface DeskReach extends Host {
    /** None in a browser. */
    readonly native: Native | null;
    /** An answer of JSON lines; each is heard as it comes, where it comes in pieces. */
    eachLine<T>(method: Method, path: string, body: unknown, heard: (line: T) => void): Promise<void>;
}

export class DeskHost implements DeskReach {
    readonly native: Native | null = isTauri() ? new App() : null;

    async request<T>(method: Method, path: string, body?: unknown): Promise<T> {
        try {
            return await reach<T>(method, path, body, undefined, "", PATIENCE_MS);
        } catch (error) {
            throw asProblem(error).cutOff ? this.unreached() : error;
        }
    }

    async eachLine<T>(method: Method, path: string, body: unknown, heard: (line: T) => void): Promise<void> {
        if (this.native) return linesByCommand(method, path, body, (line) => heard(JSON.parse(line) as T));
        const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
        const response = await fetch(path, { method, cache: "no-store", ...sent }).catch(() => {
            throw this.unreached();
        });
        if (!response.ok) throw problemIn(await response.json().catch(() => null), response.status);
        for await (const line of linesOf(response)) if (line.trim() !== "") heard(JSON.parse(line) as T);
    }

    subscribe(after: number | null, hears: Hears): Line {
        return (this.native ? byCommands : bySocket)(after, hears, () => this.unreached());
    }

    /** It is this computer. */
    online(): boolean {
        return true;
    }

    unreached(): Problem {
        return new Problem("UNREACHABLE", "Lanyard does not answer.", "It may be starting again. If it stays like this, quit it from the tray and open it anew.");
    }

    /** The local door lets its owner in as they are, and knows no links. */
    addressOf({ id }: Pick<ArtifactShown, "id">): string {
        return `/api/artifacts/${id}`;
    }

    near = () => false;
    nearer = () => Promise.resolve(false);
    elsewhere = () => null;
}

async function* linesOf(response: Response): AsyncGenerator<string> {
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    while (reader) {
        const { value, done } = await reader.read();
        if (done) break;
        const lines = (rest + value).split("\n");
        rest = lines.pop() ?? "";
        yield* lines;
    }
    yield rest;
}

function bySocket(after: number | null, hears: Hears, why: () => Problem): Line {
    let over = false;
    const socket = socketTo(location.origin, after, null, { frame: (frame) => void (over || hears.frame(frame)), closed: () => void (over || hears.closed(why())) });
    return {
        send: (frame) => void (socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(frame))),
        close: () => {
            over = true;
            socket.close();
        },
    };
}

/** Over the app's commands: a frame a message, and `null` when it is over. */
function byCommands(after: number | null, hears: Hears, why: () => Problem): Line {
    let over = false;
    const channel = new Channel<string | null>();
    const end = () => {
        if (!over) hears.closed(why());
        over = true;
    };
    channel.onmessage = (words) => {
        const frame: Frame | null = words === null ? null : readFrame(words);
        if (words === null) end();
        else if (frame && !over) hears.frame(frame);
    };
    const id = invoke<number>("desk_subscribe", { after, channel });
    id.catch(end);
    return {
        send: (frame) => void id.then((id) => invoke("desk_tell", { id, frame: JSON.stringify(frame) })).catch(() => {}),
        close: () => {
            over = true;
            void id.then((id) => invoke("desk_unsubscribe", { id })).catch(() => {});
        },
    };
}

/** A scheme hands over an answer when it is whole, so that lines come over a channel, and `null` at the end. */
async function linesByCommand(method: Method, path: string, body: unknown, heard: (line: string) => void): Promise<void> {
    const channel = new Channel<string | null>();
    const over = new Promise<void>((resolve, reject) => {
        channel.onmessage = (line) => {
            try {
                if (line === null) resolve();
                else if (line.trim() !== "") heard(line);
            } catch (error) {
                reject(error);
            }
        };
    });
    await command<void>("desk_each_line", { method, path, body: body === undefined ? null : JSON.stringify(body), channel });
    await over;
}

class App implements Native {
    status = () => command<NativeStatus>("native_status");
    autostart = (on: boolean) => command<void>("native_autostart", { on });
    open = (url: string) => command<void>("native_open", { url });
    pickFolder = () => command<string | null>("native_pick_folder");
    checkForUpdate = () => command<void>("update_check");
    installUpdate = (when: "now" | "quit") => command<void>("update_install", { when });

    listen(hears: { status(now: NativeStatus): void; go(path: string): void }): void {
        void listen<NativeStatus>("native", ({ payload }) => hears.status(payload));
        void listen<{ path: string } | string>("go", ({ payload }) => hears.go(typeof payload === "string" ? payload : payload.path));
    }
}

/** A command refuses with what a request would be refused with, or with words. */
async function command<T>(name: string, args?: Record<string, unknown>): Promise<T> {
    try {
        return await invoke<T>(name, args);
    } catch (error) {
        if (typeof error === "object" && error !== null) throw problemIn(error, 500);
        throw new Problem("FAILED", String(error), "Try again.");
    }
}
