// What the gateway says to the holder of a link.

import { reach } from "../host";
import { Problem } from "../problem";
import type { LinkShown as Shown } from "./wire";

export type { ApprovalState, LinkArtifact as Artifact, LinkShown as Shown, RiskWord as Risk } from "./wire";
export type Answer = Extract<Shown, { kind: "answer" }>;
export type Approval = Extract<Shown, { kind: "approval" }>;

/** Milliseconds since 1970. */
export type Moment = number;

export function readLink(token: string): Promise<Shown> {
    return ask(`/api/link/${encodeURIComponent(token)}`, "GET");
}

export function denyLink(token: string): Promise<Shown> {
    return ask(`/api/link/${encodeURIComponent(token)}/deny`, "POST");
}

async function ask(path: string, method: "GET" | "POST"): Promise<Shown> {
    const body = await reach<unknown>(method, path);
    if (!isShown(body)) throw new Problem("BAD_ANSWER", "The answer cannot be read.", "Reload the page.");
    return body;
}

function isShown(body: unknown): body is Shown {
    const kind = (body as { kind?: unknown } | null)?.kind;
    return kind === "answer" || kind === "approval";
}
