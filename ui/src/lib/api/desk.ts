// What the local door says beside the companion API, for the window alone. All of it is the gateway's own; here are only the
// names that the window gives to parts of it.

import type { AccountChecked, ProblemShown, SessionState } from "./wire";

export type {
    AccountChecked, Activity, ActivityItem, ActivityKind, AuditBroken, AuditShown, Checked, Field, Finding, HelloShown, Home, HostAllowed, HostOfPackages, Hosts, ImportFound, ImportLine, ImportProgress, Imported, LockShown, PinShown, ProblemShown, RuleMade, RulesMade, Sent, Settings, SetupStep, SignInCode, SignInLine, StepId, TwilioAccountShown, TwilioNumber, Usage, UsageBy, UsageRow, WebhookShown, WindowShown,
} from "./wire";

/** `GET /accounts` is a list of these. */
export type AccountShown = Omit<AccountChecked, "checked">;

/** `GET /lan`: the door on the local network. */
export interface Lan {
    words: string;
    status: { state: "off" | "opening" } | { state: "open"; urls: string[]; expires: number } | { state: "refused"; why: ProblemShown };
    certificate: { url: string; fingerprint: string } | null;
}

/** One value of the config. */
export type Value = string | number | boolean | string[];

/** Which sessions to list; what is empty leaves all. */
export interface SessionFilter {
    state: SessionState | "";
    agent: string;
    tag: string;
    /** Last used on these days or between them: `2026-11-21`, as the owner's calendar has it. */
    from: string;
    to: string;
}
