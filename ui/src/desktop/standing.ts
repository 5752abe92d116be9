// How things stand, in a few words and one colour.

import type { SetupStep } from "../lib/api/desk";
import type { HouseStatus } from "../lib/api/wire";
import type { Kind } from "./parts/Dot.svelte";
import { STEPS } from "./steps";

export interface Standing {
    kind: Kind;
    says: string;
}

/** All of it in one line. What needs the owner comes first. */
export function house(live: boolean, status: HouseStatus | null, open: number, working: number, steps: SetupStep[] = []): Standing {
    if (!live) return { kind: "off", says: "Lanyard does not answer" };
    if (!status) return { kind: "off", says: "Looking…" };
    if (status.sandbox === "trouble") return { kind: "broken", says: "The sandbox is in trouble" };
    if (open > 0) return { kind: "note", says: open === 1 ? "One question waits" : `${open} questions wait` };
    if (status.sandbox === "paused") return { kind: "off", says: "Paused" };
    if (status.tunnel_state === "refused") return { kind: "broken", says: "The tunnel was refused" };
    if (working > 0) return { kind: "working", says: working === 1 ? "One session works" : `${working} sessions work` };
    const needed = steps.find((step) => STEPS[step.id].needed && step.state !== "done");
    if (needed?.state === "doing") return { kind: "working", says: "Being set up" };
    if (needed) return { kind: needed.state === "broken" ? "broken" : "note", says: `${STEPS[needed.id].title} is missing` };
    if (status.sandbox === "preparing") return { kind: "working", says: "Getting ready" };
    return { kind: "well", says: "All is well" };
}

const SANDBOX: Record<string, Standing> = {
    unknown: { kind: "off", says: "Not needed yet" },
    preparing: { kind: "working", says: "Getting ready" },
    ready: { kind: "well", says: "Ready" },
    paused: { kind: "off", says: "Paused" },
    trouble: { kind: "broken", says: "In trouble" },
};

export function sandbox(state: string): Standing {
    return SANDBOX[state] ?? { kind: "off", says: state };
}

const TUNNEL: Record<string, Standing> = {
    off: { kind: "off", says: "Off" },
    connecting: { kind: "working", says: "Connecting" },
    open: { kind: "well", says: "Open" },
    refused: { kind: "broken", says: "Refused" },
};

export function tunnel(status: HouseStatus): Standing {
    // Without a tunnel the address may be the owner's own.
    if (status.tunnel_state === "off" && status.tunnel) return { kind: "well", says: "Your own address" };
    return TUNNEL[status.tunnel_state] ?? { kind: "off", says: status.tunnel_state };
}
