// What a push message becomes: a notice, and from a tap on it an answer.

import type { Problem } from "../lib/problem";

/**
 * The payload, as `PushNotice` says. `body` is all that would run where `allow` is true; where it is not, a notice offers only
 * no and a look. `letter` tells the gateway which push was shown, and that an answer came from a lock screen.
 */
interface Payload {
    kind?: unknown;
    title?: unknown;
    body?: unknown;
    tag?: unknown;
    session_id?: unknown;
    task?: unknown;
    letter?: unknown;
    approval?: { id?: unknown; input_hash?: unknown; allow?: unknown };
}

export interface Notice {
    title: string;
    options: {
        body: string;
        tag?: string;
        silent?: true;
        icon: string;
        badge: string;
        data: { path: string; letter: number | null; approval?: { id: string; input_hash: string } };
        actions: { action: string; title: string }[];
    };
}

const ID = /^[0-9a-f-]{36}$/i;

export function noticeIn(text: string): Notice {
    const payload = parsed(text);
    const word = (value: unknown, otherwise: string) => (typeof value === "string" && value !== "" ? value : otherwise);
    const approval = approvalIn(payload);
    const session = typeof payload.session_id === "string" && ID.test(payload.session_id) ? payload.session_id : null;
    const task = Number.isSafeInteger(payload.task) ? Number(payload.task) : null;
    const path = approval ? `/#/approvals/${approval.id}` : task !== null ? `/#/tasks/${task}` : session ? `/#/chat/${session}` : "/";
    const letter = typeof payload.letter === "number" ? payload.letter : null;
    const allow = { action: "allow", title: "Allow once" };
    const deny = { action: "deny", title: "Deny" };
    return {
        title: word(payload.title, "Lanyard"),
        options: {
            body: word(payload.body, "Something happened in a session."),
            ...(typeof payload.tag === "string" ? { tag: payload.tag } : {}),
            ...(payload.kind === "closed" ? { silent: true } : {}),
            icon: "/icons/192.png",
            badge: "/icons/192.png",
            data: approval ? { path, letter, approval } : { path, letter },
            actions: approval ? (payload.approval?.allow === true && letter !== null ? [allow, deny] : [deny]) : [],
        },
    };
}

/** What a tap on one of a notice's buttons says; nothing: the page is to be opened. */
export function permissionFor(action: string, { approval, letter }: Notice["options"]["data"]): { path: string; body: unknown } | null {
    if (!approval || (action !== "allow" && action !== "deny")) return null;
    return { path: `/api/permission/${approval.id}`, body: { decision: action, input_hash: approval.input_hash, ...(letter === null ? {} : { letter }) } };
}

/** What is said where an answer from a notice was not taken. */
export function unanswered({ code, cutOff, message }: Problem): { title: string; body: string } {
    if (code === "APPROVAL_GONE") return { title: "It was answered already", body: "Your answer changed nothing. Tap to see what became of it." };
    return { title: "Your answer did not get through", body: cutOff ? "Tap to answer on the page." : `${message} Tap to look at it on the page.` };
}

function approvalIn({ approval }: Payload): { id: string; input_hash: string } | null {
    const { id, input_hash } = approval ?? {};
    return typeof id === "string" && ID.test(id) && typeof input_hash === "string" ? { id, input_hash } : null;
}

function parsed(text: string): Payload {
    try {
        const value: unknown = JSON.parse(text);
        return typeof value === "object" && value !== null ? value : {};
    } catch {
        return {};
    }
}
