// The way from an installed Lanyard to one that works: accounts, the number, the tunnel, each checked where it is entered.

import type { AccountChecked, AccountShown, HelloShown, SignInCode, SignInLine, StepId, TwilioAccountShown, TwilioNumber, WebhookShown } from "../../api/desk";
import type { DeskReach } from "../../host/desk";
import { Problem } from "../../problem";
import { Deed, Fetched } from "./fetched.svelte";

const HELLO_EVERY_MS = 1_500;

export class Setup {
    readonly accounts: Fetched<AccountShown[]>;
    readonly numbers: Fetched<TwilioNumber[]>;
    readonly deed = new Deed();
    /** Apart, for it waits for a person at another page. */
    readonly signing = new Deed();
    /** What that person types there, while they are waited for. */
    code = $state.raw<SignInCode | null>(null);
    /** What there is to know about a token that was fetched. */
    signedIn = $state<string | null>(null);
    account = $state.raw<TwilioAccountShown | null>(null);
    proof = $state.raw<WebhookShown | null>(null);
    hello = $state.raw<HelloShown | null>(null);

    constructor(private readonly host: DeskReach) {
        this.accounts = new Fetched(() => host.request<AccountShown[]>("GET", "/accounts"));
        this.numbers = new Fetched(() => host.request<TwilioNumber[]>("GET", "/twilio/numbers"));
    }

    is(account: string): AccountShown | undefined {
        return this.accounts.value?.find((known) => known.account === account);
    }

    /** A secret that its service refuses is not kept, and is said to be refused. */
    keep(account: string, secret: string): Promise<boolean> {
        this.forgetSignIn();
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
        this.forgetSignIn();
        return this.act(`drop-${account}`, () => this.host.request("DELETE", `/accounts/${account}`));
    }

    /** By a code that is typed at the service's own page; resolves when that was done, or not. */
    async signIn(account: string): Promise<boolean> {
        this.signedIn = null;
        const worked = await this.signing.run(account, async () => {
            await this.host.eachLine<SignInLine>("POST", `/accounts/${account}/sign-in`, {}, (line) => this.hearSignIn(line));
            if (this.signedIn === null) throw new Problem("NOT_RUNNING", "Lanyard stopped before you had signed in.", "Sign in again once it runs.");
        });
        this.code = null;
        await this.accounts.load();
        return worked;
    }

    /** Another token is kept, or none. */
    private forgetSignIn(): void {
        this.signedIn = null;
        this.signing.clear();
    }

    private hearSignIn(line: SignInLine): void {
        if (line.type === "code") {
            this.code = line;
            return;
        }
        if (line.type === "refused") throw new Problem(line.code, line.message, line.suggestion);
        const { ok, code, says, suggestion } = line.checked;
        if (!ok) throw new Problem(code ?? "KEY_REFUSED", says, suggestion ?? "Sign in again.");
        this.signedIn = suggestion ?? says;
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
