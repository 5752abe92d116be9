// What agents may do without asking again, each until it is taken back, and the PIN that a phone's yes may need.

import type { PinShown, RuleMade, RulesMade } from "../../api/desk";
import type { Host } from "../../host";
import { Deed, Fetched } from "./fetched.svelte";

export class Rules {
    readonly made: Fetched<RulesMade>;
    readonly pin: Fetched<PinShown>;
    readonly deed = new Deed();

    constructor(private readonly host: Host) {
        this.made = new Fetched(() => host.request<RulesMade>("GET", "/rules"));
        this.pin = new Fetched(() => host.request<PinShown>("GET", "/pin"));
    }

    async takeBack(rule: RuleMade): Promise<boolean> {
        const gone = { session: rule.session, exact: rule.exact };
        const worked = await this.deed.run(`forget-${keyOf(rule)}`, async () => this.made.put(await this.host.request<RulesMade>("POST", "/rules/forget", gone)));
        // It may have been taken back elsewhere.
        if (!worked) await this.made.load();
        return worked;
    }

    setPin(pin: string): Promise<boolean> {
        return this.deed.run("pin", async () => this.pin.put(await this.host.request<PinShown>("POST", "/pin", { pin })));
    }

    removePin(): Promise<boolean> {
        return this.deed.run("remove-pin", async () => this.pin.put(await this.host.request<PinShown>("POST", "/pin/remove", {})));
    }
}

export function keyOf(rule: RuleMade): string {
    return `${rule.session} ${rule.exact}`;
}
