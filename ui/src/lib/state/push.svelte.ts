// Notices while the page is closed. Shown only where the gateway says that it sends them and the browser can take them.

import type { Host } from "../host";
import { type Problem, asProblem } from "../problem";

export type Notices = "unknown" | "off" | "on" | "refused";

export class Push {
    is = $state<Notices>("unknown");
    busy = $state(false);
    problem = $state.raw<Problem | null>(null);

    constructor(private readonly host: Host) {}

    static get possible(): boolean {
        return "serviceWorker" in navigator && "PushManager" in globalThis && "Notification" in globalThis;
    }

    async look(): Promise<void> {
        if (!Push.possible) return;
        const worker = await navigator.serviceWorker.getRegistration();
        if (Notification.permission === "denied") this.is = "refused";
        else this.is = (await worker?.pushManager.getSubscription()) ? "on" : "off";
    }

    async turnOn(): Promise<void> {
        await this.attempt(async () => {
            const worker = await navigator.serviceWorker.ready;
            if ((await Notification.requestPermission()) !== "granted") return;
            const { public_key } = await this.host.request<{ public_key: string }>("GET", "/api/push");
            const subscription = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: public_key });
            await this.host.request("POST", "/api/push", subscription.toJSON());
        });
    }

    async turnOff(): Promise<void> {
        await this.attempt(async () => {
            const worker = await navigator.serviceWorker.getRegistration();
            const subscription = await worker?.pushManager.getSubscription();
            if (!subscription) return;
            await subscription.unsubscribe();
            await this.host.request("DELETE", "/api/push", { endpoint: subscription.endpoint });
        });
    }

    private async attempt(work: () => Promise<void>): Promise<void> {
        this.busy = true;
        this.problem = null;
        try {
            await work();
        } catch (error) {
            this.problem = asProblem(error);
        } finally {
            this.busy = false;
            await this.look();
        }
    }
}
