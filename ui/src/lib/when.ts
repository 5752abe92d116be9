// Times as people say them, in the reader's own language and clock.

import type { Moment } from "./api/link";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "just now", "12 min ago", "today, 14:05", "yesterday, 09:12", "3 May, 14:05". */
export function past(at: Moment, now: Moment): string {
    const ago = now - at;
    if (ago < MINUTE) return "just now";
    if (ago < HOUR) return `${Math.floor(ago / MINUTE)} min ago`;
    return `${day(at, now)}, ${new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`;
}

/** "42 min", "1 h", "2 h 5 min"; nothing once it is over. */
export function left(until: Moment, now: Moment): string | null {
    const rest = until - now;
    if (rest <= 0) return null;
    if (rest < MINUTE) return "less than a minute";
    if (rest < HOUR) return `${Math.floor(rest / MINUTE)} min`;
    const minutes = Math.floor((rest % HOUR) / MINUTE);
    return `${Math.floor(rest / HOUR)} h${minutes === 0 ? "" : ` ${minutes} min`}`;
}

function day(at: Moment, now: Moment): string {
    const midnight = new Date(now).setHours(0, 0, 0, 0);
    if (at >= midnight) return "today";
    if (at >= midnight - DAY) return "yesterday";
    const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
    return new Date(at).toLocaleDateString([], { day: "numeric", month: "short", year: sameYear ? undefined : "numeric" });
}

/** How long something took: "3 s", "2 min 5 s", "1 h 4 min". */
export function long(ms: number): string {
    const seconds = Math.round(ms / 1000);
    if (seconds < 60) return `${Math.max(seconds, 1)} s`;
    const minutes = Math.floor(seconds / 60);
    if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
    return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
