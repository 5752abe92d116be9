// The way from an installed Lanyard to one that works: accounts, the number, the tunnel, each checked where it is entered.

import type { AccountChecked, AccountShown, HelloShown, StepId, TwilioAccountShown, TwilioNumber, WebhookShown } from "../../api/desk";
import type { Host } from "../../host";
import { Problem } from "../../problem";
import { Deed, Fetched } from "./fetched.svelte";

const HELLO_EVERY_MS = 1_500;

export class Setup {
    readonly accounts: Fetched<AccountShown[]>;
    readonly numbers: Fetched<TwilioNumber[]>;
    readonly deed = new Deed();
    account = $state.raw<TwilioAccountShown | null>(null);
    proof = $state.raw<WebhookShown | null>(null);
    hello = $state.raw<HelloShown | null>(null);

    constructor(private readonly host: Host) {
        this.accounts = new Fetched(() => host.request<AccountShown[]>("GET", "/accounts"));
        this.numbers = new Fetched(() => host.request<TwilioNumber[]>("GET", "/twilio/numbers"));
    }

    is(account: string): AccountShown | undefined {
        return this.accounts.value?.find((known) => known.account === account);
    }

    /** A secret that its service refuses is not kept, and is said to be refused. */
    keep(account: string, secret: string): Promise<boolean> {
        return this.act(`keep-${account}`, async () => {
            const { checked } = await this.host.request<AccountChecked>("PUT", `/accounts/${account}`, { secret: secret.trim() });
            if (!checked.ok) throw new Problem(checked.code ?? "KEY_REFUSED", checked.says, checked.suggestion ?? "Look whether all of it was copied, then try again.");
        });
    }

    check(account: string): Promise<boolean> {
        return this.act(`check-${account}`, async () => {
            const { checked } = await this.host.request<AccountChecked>("POST", `/accounts/${account}/check`);
            if (!checked.ok) throw new Problem(checked.code ?? "KEY_REFUSED", checked.says, checked.suggestion ?? "Enter it anew.");
        });
    }

    drop(account: string): Promise<boolean> {
        return this.act(`drop-${account}`, () => this.host.request("DELETE", `/accounts/${account}`));
    }

    skip(step: StepId, skip = true): Promise<boolean> {
        return this.act(`skip-${step}`, () => this.host.request("POST", `/setup/${step}/skip`, { skip }));
    }

    tunnel(token: string, domain: string): Promise<boolean> {
        return this.act("tunnel", () => this.host.request("POST", "/tunnel/setup", { ...(token ? { token: token.trim() } : {}), ...(domain ? { domain: domain.trim() } : {}) }));
    }

    async twilio(account_sid: string, auth_token: string): Promise<boolean> {
        const worked = await this.act("twilio", async () => {
            this.account = await this.host.request<TwilioAccountShown>("POST", "/twilio/account", { account_sid: account_sid.trim(), ...(auth_token ? { auth_token: auth_token.trim() } : {}) });
        });
        if (worked) await this.numbers.anew();
        return worked;
    }

    number(number: string): Promise<boolean> {
        return this.act(`number-${number}`, async () => {
            await this.host.request("POST", "/twilio/number", { number });
            await this.numbers.load();
        });
    }

    allow(numbers: string[]): Promise<boolean> {
        return this.act("allow", () => this.host.request("POST", "/twilio/allow", { numbers }));
    }

    webhook(): Promise<boolean> {
        return this.act("webhook", async () => {
            this.proof = await this.host.request<WebhookShown>("POST", "/twilio/webhook");
        });
    }

    /** A first text, followed until somebody answers it or it fails. */
    async greet(to: string): Promise<boolean> {
        this.hello = null;
        return this.act("hello", async () => {
            await this.host.request("POST", "/twilio/hello", { to });
            await this.follow();
        });
    }

    private async follow(): Promise<void> {
        const until = Date.now() + 120_000;
        while (Date.now() < until) {
            this.hello = await this.host.request<HelloShown>("GET", "/twilio/hello");
            if (this.hello.state === "answered" || this.hello.state === "failed") return;
            await new Promise((resolve) => setTimeout(resolve, HELLO_EVERY_MS));
        }
    }

    private async act(name: string, work: () => Promise<unknown>): Promise<boolean> {
        const worked = await this.deed.run(name, work);
        await this.accounts.load();
        return worked;
    }
}
