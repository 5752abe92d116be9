// What only the app around the window can do.

export interface UpdateShown {
    state: "none" | "checking" | "available" | "downloading" | "ready" | "installing" | "failed" | "off";
    current: string;
    version?: string | null;
    /** Markdown. */
    notes?: string | null;
    /** 0 to 1. */
    progress?: number | null;
    /** It is ready, and installed after that. */
    waits_for?: "turn" | "quit" | null;
    problem?: { code: string; message: string; suggestion: string } | null;
}

export interface NativeStatus {
    /** It starts with the computer. */
    autostart: boolean;
    tray: "shown" | "missing" | "unknown";
    platform: "linux" | "macos" | "windows";
    update: UpdateShown;
}

/** Each throws `Problem`. */
export interface Native {
    status(): Promise<NativeStatus>;
    autostart(on: boolean): Promise<void>;
    /** In the system's browser. */
    open(url: string): Promise<void>;
    pickFolder(): Promise<string | null>;
    checkForUpdate(): Promise<void>;
    installUpdate(when: "now" | "quit"): Promise<void>;
    /** `status`: it changed. `go`: the tray asks for a screen. */
    listen(hears: { status(now: NativeStatus): void; go(path: string): void }): void;
}
