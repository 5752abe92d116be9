// Notices while the page is closed. Shown only where the gateway says that it sends them and the browser can take them.

import type { Host } from "../host";
import { type Problem, asProblem } from "../problem";

export type Notices = "unknown" | "off" | "on" | "refused";

/** Where is noted whose the subscription is. */
export interface Notes {
    note<T>(name: string): Promise<T | undefined>;
    write(name: string, value: unknown): Promise<void>;
}

/** Under which name it is noted. */
const OF = "push-of";

export class Push {
    is = $state<Notices>("unknown");
    busy = $state(false);
    problem = $state.raw<Problem | null>(null);

    constructor(
        private readonly host: Host,
        private readonly notes: Notes,
    ) {}

    static get possible(): boolean {
        return "serviceWorker" in navigator && "PushManager" in globalThis && "Notification" in globalThis;
    }

    async look(): Promise<void> {
        if (!Push.possible) return;
        const worker = await navigator.serviceWorker.getRegistration();
        if (Notification.permission === "denied") this.is = "refused";
        else this.is = (await worker?.pushManager.getSubscription()) ? "on" : "off";
    }

    /** The browser keeps its subscription when it is paired anew: from then on it is to belong to the phone it is now. */
    async belongTo(phone: string): Promise<void> {
        if (!Push.possible || Notification.permission !== "granted") return;
        if ((await this.notes.note<string>(OF)) === phone) return;
        const worker = await navigator.serviceWorker.getRegistration();
        if (!(await worker?.pushManager.getSubscription())) return;
        await this.attempt(() => this.subscribe());
        if (!this.problem) await this.notes.write(OF, phone);
    }

    async turnOn(): Promise<void> {
        await this.attempt(async () => {
            await navigator.serviceWorker.ready;
            if ((await Notification.requestPermission()) === "granted") await this.subscribe();
        });
    }

    private async subscribe(): Promise<void> {
        const { pushManager } = await navigator.serviceWorker.ready;
        const { public_key } = await this.host.request<{ public_key: string }>("GET", "/api/push");
        const asked = { userVisibleOnly: true, applicationServerKey: public_key };
        const subscription = await pushManager.subscribe(asked).catch(async (error: unknown) => {
            // One for a key that the gateway had before takes no pushes of this one.
            const old = await pushManager.getSubscription();
            if (!old || !(await old.unsubscribe())) throw error;
            return pushManager.subscribe(asked);
        });
        await this.host.request("POST", "/api/push", subscription.toJSON());
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
