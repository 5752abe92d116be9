// The page as an installed thing: its service worker, a newer version of it, the offer to put it on the home screen.

interface InstallOffer extends Event {
    prompt(): Promise<unknown>;
}

export class AppShell {
    /** A newer page is here and waits for this one to end. */
    newer = $state.raw<ServiceWorker | null>(null);
    offer = $state.raw<InstallOffer | null>(null);

    start(): void {
        window.addEventListener("beforeinstallprompt", (event) => {
            event.preventDefault();
            this.offer = event as InstallOffer;
        });
        window.addEventListener("appinstalled", () => (this.offer = null));
        if (import.meta.env.PROD && "serviceWorker" in navigator) void this.register();
    }

    /** Takes the newer page, now. */
    renew(): void {
        if (!this.newer) return location.reload();
        navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
        this.newer.postMessage("take over");
    }

    async install(): Promise<void> {
        const { offer } = this;
        this.offer = null;
        await offer?.prompt();
    }

    private async register(): Promise<void> {
        // A page without it works; it only opens slower, and not at all offline.
        const worker = await navigator.serviceWorker.register("/sw.js").catch(() => null);
        if (!worker) return;
        const look = () => void (worker.waiting && navigator.serviceWorker.controller && (this.newer = worker.waiting));
        look();
        worker.addEventListener("updatefound", () => worker.installing?.addEventListener("statechange", look));
        document.addEventListener("visibilitychange", () => void (document.visibilityState === "visible" && worker.update().catch(() => {})));
    }
}

/** Whether the page was opened from the home screen. */
export function isInstalled(): boolean {
    return matchMedia("(display-mode: standalone)").matches || ("standalone" in navigator && navigator.standalone === true);
}
