// The kinds of things that happen, each with a sign and a tone.

import type { IconName } from "../lib/components/Icon.svelte";

export interface Kind {
    label: string;
    icon: IconName;
    tone: "plain" | "good" | "bad" | "asks";
}

export const KINDS: Record<string, Kind> = {
    asked: { label: "Questions", icon: "hand", tone: "asks" },
    allowed: { label: "Allowed", icon: "check", tone: "good" },
    denied: { label: "Denied", icon: "close", tone: "bad" },
    expired: { label: "Ran out", icon: "clock", tone: "plain" },
    said: { label: "Said", icon: "chat", tone: "plain" },
    answered: { label: "Answers", icon: "chat", tone: "plain" },
    text_sent: { label: "Texts", icon: "phone", tone: "plain" },
    text_failed: { label: "Texts that failed", icon: "warn", tone: "bad" },
    pushed: { label: "Notices", icon: "phone", tone: "plain" },
    paired: { label: "Paired", icon: "code", tone: "good" },
    revoked: { label: "Shut out", icon: "lock", tone: "bad" },
    host_allowed: { label: "Hosts reached", icon: "globe", tone: "plain" },
    host_blocked: { label: "Hosts blocked", icon: "globe", tone: "bad" },
    turn_failed: { label: "Failures", icon: "warn", tone: "bad" },
};

export function kindOf(kind: string): Kind {
    return KINDS[kind] ?? { label: kind, icon: "activity", tone: "plain" };
}
