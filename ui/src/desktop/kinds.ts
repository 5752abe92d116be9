// The kinds of things that happen, each with a sign and a tone.

import type { ActivityKind } from "../lib/api/desk";
import type { IconName } from "../lib/components/Icon.svelte";

export interface Kind {
    label: string;
    icon: IconName;
    tone: "plain" | "good" | "bad" | "asks";
}

export const KINDS: Record<ActivityKind, Kind> = {
    asked: { label: "Questions", icon: "hand", tone: "asks" },
    allowed: { label: "Allowed", icon: "check", tone: "good" },
    denied: { label: "Denied", icon: "close", tone: "bad" },
    expired: { label: "Ran out", icon: "clock", tone: "plain" },
    said: { label: "Said", icon: "chat", tone: "plain" },
    answered: { label: "Answers", icon: "chat", tone: "plain" },
    withdrawn: { label: "No longer asked", icon: "clock", tone: "plain" },
    turn_ended: { label: "Turns", icon: "check", tone: "plain" },
    text_waiting: { label: "Texts that wait", icon: "clock", tone: "plain" },
    text_sent: { label: "Texts", icon: "phone", tone: "plain" },
    text_failed: { label: "Texts that failed", icon: "warn", tone: "bad" },
    push_waiting: { label: "Notices that wait", icon: "clock", tone: "plain" },
    push_failed: { label: "Notices that failed", icon: "warn", tone: "bad" },
    pushed: { label: "Notices", icon: "phone", tone: "plain" },
    paired: { label: "Paired", icon: "code", tone: "good" },
    revoked: { label: "Shut out", icon: "lock", tone: "bad" },
    host_allowed: { label: "Hosts reached", icon: "globe", tone: "plain" },
    host_blocked: { label: "Hosts blocked", icon: "globe", tone: "bad" },
    turn_failed: { label: "Failures", icon: "warn", tone: "bad" },
    signature_refused: { label: "Unsigned requests", icon: "lock", tone: "bad" },
    mode_changed: { label: "Changes of mode", icon: "settings", tone: "plain" },
    session_closed: { label: "Sessions closed", icon: "close", tone: "plain" },
    imported: { label: "Imported", icon: "download", tone: "plain" },
};

/** A gateway may know more. */
export function kindOf(kind: string): Kind {
    return (KINDS as Partial<Record<string, Kind>>)[kind] ?? { label: kind, icon: "activity", tone: "plain" };
}
