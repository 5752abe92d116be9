// Days and times of day, as a list is parted by them.

const DAY_MS = 24 * 60 * 60_000;

/** "Today", "Yesterday", "Friday, 14 November". */
export function dayOf(at: number, now: number): string {
    const midnight = new Date(now).setHours(0, 0, 0, 0);
    if (at >= midnight) return "Today";
    if (at >= midnight - DAY_MS) return "Yesterday";
    const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
    return new Date(at).toLocaleDateString([], { weekday: "long", day: "numeric", month: "long", year: sameYear ? undefined : "numeric" });
}

/** "14:05" */
export function timeOf(at: number): string {
    return new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

/** `2026-11-21` -> "21 Nov". */
export function shortDay(key: string): string {
    const [year = 0, month = 1, day = 1] = key.split("-").map(Number);
    return new Date(year, month - 1, day).toLocaleDateString([], { day: "numeric", month: "short" });
}
