// The stand-in's local door: the window's page, and what only the owner may ask at the computer itself.

import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { AccountChecked, AccountShown, ActivityItem, AuditShown, Finding, HelloShown, Home, HostAllowed, HostOfPackages, Hosts, ImportFound, Lan, PinShown, RuleMade, Settings, SetupStep, TwilioNumber, Usage, UsageRow } from "../../../src/lib/api/desk";
import type { ApiToken, PhoneShown, ScopeWord, SessionShown, You } from "../../../src/lib/api/wire";
import { Agent } from "./agent.ts";
import { House, Refused } from "./house.ts";
import { type Route, Standin } from "./server.ts";

const OWNER: You = { kind: "owner", id: null, name: "You", scopes: ["read", "chat", "approve", "terminal", "preview", "tasks"] };
const DAY = 86_400_000;

export class DeskStandin extends Standin {
    protected override readonly channel = "desktop";
    findings: Finding[] = [];
    steps: SetupStep[] = [];
    phones: PhoneShown[] = [];
    tokens: ApiToken[] = [];
    activity: ActivityItem[] = [];
    hosts: HostAllowed[] = [];
    rules: RuleMade[] = [];
    windows: Home["today"]["windows"] = [];
    pinShown: PinShown = { set: false, locked_until: null };
    packages: HostOfPackages[] = [];
    audit: AuditShown = { rows: 0, signed: null, cut: null, broken: null };
    importable: ImportFound[] = [];
    importPace = 0;
    /** What the owner says to a sign-in. */
    grant: (says: boolean) => void = () => {};
    private stopImport = false;
    accounts: AccountShown[] = [];
    numbers: TwilioNumber[] = [];
    locked = false;
    settings: Settings = { values: {}, fields: [], path: "~/.config/lanyard/config.toml", restart_needed: false, waiting: [] };
    hello: HelloShown = { state: "none", says: "" };
    image: Home["sandbox"]["image"] = { state: "ready", says: "Claude Code 2.1.329, made 3 days ago." };
    texting: Home["texting"] = { set_up: true, number: "+15550100123", works: true, says: "Texts to it were proved to lead here." };
    /** Requests that are refused, by method and path. */
    refuse = new Map<string, Refused>();
    /** Everything asked of the local door that changes something. */
    readonly done: { what: string; body: unknown }[] = [];
    private code = randomUUID();
    private readonly began = Date.now() - 3 * 3_600_000 - 12 * 60_000;

    static override start(dist: string): Promise<DeskStandin> {
        const house = new House();
        return new DeskStandin(house, dist).listen();
    }

    constructor(house: House, dist: string) {
        super(dist, house, new Agent(house));
    }

    protected override get page(): string {
        return "index.html";
    }

    protected override admit(): You {
        return OWNER;
    }

    /** The local door knows no links. */
    protected override readonly pictures = /^\/api\/artifacts\/(.+)$/;

    protected override isApi(_request: IncomingMessage, path: string): boolean {
        return path !== "/" && !/^\/(assets|icons)\//.test(path);
    }

    /** A phone takes the code that is shown. */
    pairs(name: string): void {
        this.code = randomUUID();
        this.phones = [phone(name, { connected: 1 }), ...this.phones];
    }

    protected override async api(method: string, request: Parameters<Route>[0]): Promise<unknown> {
        const path = request.url.pathname;
        const refused = this.refuse.get(`${method} ${path}`);
        if (refused) throw refused;
        if (method !== "GET") this.done.push({ what: `${method} ${path}`, body: request.body });
        if (path.startsWith("/api/")) return path === "/api/sessions" ? this.listed(request.url) : super.api(method, request);
        const known = Object.entries(this.local).find(([route]) => matches(route, `${method} ${path}`));
        if (!known) throw new Refused(404, "NOT_FOUND", "There is nothing here.", "Check the address.");
        return known[1]({ ...request, parts: path.split("/").slice(1) });
    }

    private listed(url: URL): unknown {
        const [state, agent, tag] = ["state", "agent", "tag"].map((name) => url.searchParams.get(name));
        const [first, before] = [Number(url.searchParams.get("from") ?? 0), Number(url.searchParams.get("to") ?? Infinity)];
        const fits = (session: SessionShown) => session.last_at >= first && session.last_at < before && (!state || session.state === state) && (!agent || session.agent === agent) && (!tag || session.tags.includes(tag));
        const all = [...this.house.sessions.values()].filter(fits).sort((a, b) => b.last_at - a.last_at);
        const from = Number(url.searchParams.get("cursor") ?? 0);
        const limit = Number(url.searchParams.get("limit") ?? 50);
        return { sessions: all.slice(from, from + limit), next: from + limit < all.length ? String(from + limit) : null };
    }

    private readonly local: Record<string, Route> = {
        "GET /home": () => this.home(),
        "GET /doctor": () => this.findings,
        "POST /mend/*": ({ parts }) => {
            const finding = this.findings.find((known) => known.fix === parts[1]);
            if (!finding) throw new Refused(404, "NOT_FOUND", "There is no such mend.", "Look again.");
            Object.assign(finding, { state: "well", says: "It is well again.", mend: "", fix: null });
            return finding;
        },
        "POST /sandbox/pause": () => this.stand({ sandbox: "paused" }),
        "POST /sandbox/resume": () => this.stand({ sandbox: "ready" }),
        "POST /tunnel": ({ body }) => this.stand({ tunnel: (body as { on: boolean }).on ? "https://brave-otter-12.ngrok.app" : null }),
        "POST /image/build": () => void (this.image = { state: "building", says: "Step 4 of 11: npm install -g @anthropic-ai/claude-code", progress: 0.36 }),
        "POST /restart": () => {
            this.settings.restart_needed = false;
            setTimeout(() => this.cut(), 50);
            return { started_at: this.began };
        },
        "POST /lock": () => {
            for (const one of this.phones) one.revoked_at ??= Date.now();
            this.locked = true;
            return { revoked: 2, denied: 1, sandbox_paused: true, says: ["The public address answers only Twilio.", "2 phones and tokens may not come in any more.", "1 open question was refused.", "The sandbox is paused."], failed: [] };
        },
        "POST /unlock": () => void (this.locked = false),
        "GET /settings": () => this.settings,
        "PATCH /settings": ({ body }) => this.patch(body as Settings["values"]),
        "GET /accounts": () => this.accounts,
        "PUT /accounts/*": ({ parts, body }) => this.keepSecret(parts[1] ?? "", (body as { secret: string }).secret),
        "POST /accounts/*/check": ({ parts }): AccountChecked => ({ ...this.account(parts[1] ?? ""), checked: { ok: true, says: "It works." } }),
        "DELETE /accounts/*": ({ parts }) => Object.assign(this.account(parts[1] ?? ""), { state: "missing" }),
        "POST /setup/*/skip": ({ parts, body }) => this.step(parts[1] ?? "", (body as { skip: boolean }).skip ? "skipped" : "todo"),
        "POST /tunnel/setup": () => {
            this.stand({ tunnel: "https://brave-otter-12.ngrok.app" });
            this.step("tunnel", "done");
            return { open: true, url: this.house.tunnel, says: "The tunnel is open.", restart_needed: false };
        },
        "POST /twilio/account": () => ({ friendly_name: "Ada’s account", status: "active", type: "Full" }),
        "GET /twilio/numbers": () => this.numbers,
        "POST /twilio/number": ({ body }) => {
            for (const one of this.numbers) one.ours = one.number === (body as { number: string }).number;
            return {};
        },
        "POST /twilio/allow": ({ body }) => {
            (this.settings.values["twilio"] ??= {})["allow"] = (body as { numbers: string[] }).numbers;
            this.step("allow", "done");
            return {};
        },
        "POST /twilio/webhook": () => {
            this.step("texting", "done");
            return { set: true, accepted: true, refused: true, says: "Texts to +15550100123 come here: a rightly signed request was let in, a wrongly signed one was not." };
        },
        "POST /twilio/hello": () => {
            this.hello = { state: "answered", says: "You answered: both ways work." };
            return { id: "SM1" };
        },
        "GET /twilio/hello": () => this.hello,
        "GET /pairing": () => this.pairing(),
        "POST /pairing": () => {
            this.code = randomUUID();
            return this.pairing();
        },
        "GET /phones": () => ({ phones: this.phones }),
        "POST /phones/*/revoke": ({ parts }) => Object.assign(this.phone(parts[1]), { revoked_at: Date.now(), revoked_why: "owner", connected: 0 }),
        "POST /phones/*/not-me": ({ parts }) => Object.assign(this.phone(parts[1]), { revoked_at: Date.now(), revoked_why: "not me", connected: 0 }),
        "POST /phones/*": ({ parts, body }) => Object.assign(this.phone(parts[1]), body),
        "GET /tokens": () => ({ tokens: this.tokens }),
        "POST /tokens": ({ body }) => {
            const token = { id: randomUUID(), ...(body as { name: string; scopes: ScopeWord[] }), made_at: Date.now(), used_at: null, revoked_at: null };
            this.tokens.push(token);
            return { ...token, token: "lan_9fK2mQxV4bT7cRz1HsW8pYdE3uJa6NgL" };
        },
        "POST /tokens/*/revoke": ({ parts }) => Object.assign(this.tokens.find((one) => one.id === parts[1]) ?? {}, { revoked_at: Date.now() }),
        "GET /lan": () => this.lan(),
        "POST /lan": ({ body }) => {
            this.house.lan = (body as { on: boolean }).on ? ["https://lanyard-desk.local:7443"] : [];
            return this.lan();
        },
        "GET /hosts": () => this.hostsShown(),
        "POST /hosts": ({ body }) => this.allowHost((body as { host: string }).host),
        "POST /hosts/*/forget": ({ parts }) => {
            const left = this.hosts.filter(({ id }) => String(id) !== parts[1]);
            if (left.length === this.hosts.length) throw new Refused(404, "NOT_FOUND", "No such host is allowed.", "Look at those there are: lanyard hosts");
            this.hosts = left;
            return this.hostsShown();
        },
        "GET /rules": () => ({ rules: this.rules }),
        "POST /rules/forget": ({ body }) => {
            const gone = body as { session: number; exact: string };
            this.rules = this.rules.filter(({ session, exact }) => session !== gone.session || exact !== gone.exact);
            return { rules: this.rules };
        },
        "GET /pin": () => this.pinShown,
        "POST /pin": ({ body }) => {
            const { pin } = body as { pin: string };
            if (pin.length > 12) throw new Refused(400, "BAD_REQUEST", "A PIN has 4 to 12 characters.", "Take another.");
            return (this.pinShown = { set: true, locked_until: null });
        },
        "POST /pin/remove": () => (this.pinShown = { set: false, locked_until: null }),
        "POST /audit/verify": () => this.audit,
        "GET /audit": () => this.auditLines(),
        "GET /activity": ({ url }) => this.happened(url),
        "GET /usage": ({ url }) => this.usage(url),
        "POST /accounts/github/sign-in": () => this.signIn(),
        "GET /import": () => this.importable,
        "POST /import": ({ body }) => this.take((body as { paths: string[] }).paths),
        "POST /import/stop": () => void (this.stopImport = true),
    };

    private home(): Home {
        const { house } = this;
        const today = { dollars: 3.42, cap_dollars: 20, tokens: 1_284_000, responses: 118, windows: this.windows };
        const open = [...house.approvals.values()].filter((one) => one.state === "open").length;
        const working = [...house.sessions.values()].filter((one) => one.state === "working").length;
        return {
            version: "0.5.0", name: "ada-desk", started_at: this.began, uptime_ms: Date.now() - this.began, house: house.status, sandbox: { state: house.sandbox, image: this.image }, texting: this.texting,
            today: house.sessions.size === 0 ? { ...today, dollars: 0, tokens: 0, responses: 0 } : today, open_approvals: open, working, steps: this.steps, restart_needed: this.settings.restart_needed, locked: this.locked,
        };
    }

    private stand(change: { sandbox?: string; tunnel?: string | null }): void {
        Object.assign(this.house, change);
        this.house.tell({ type: "status", data: { kind: "house", ...this.house.status } });
    }

    private patch(values: Settings["values"]): Settings {
        for (const [table, keys] of Object.entries(values)) {
            for (const [key, value] of Object.entries(keys)) {
                const field = this.settings.fields.find((known) => known.key === `${table}.${key}`);
                if (field?.kind === "number" && typeof value !== "number") throw new Refused(422, "CONFIG_INVALID", `${field.label} has to be a number.`, "Write it in digits.", { key: field.key });
                (this.settings.values[table] ??= {})[key] = value;
                this.settings.restart_needed ||= field?.restart ?? false;
            }
        }
        return this.settings;
    }

    private keepSecret(name: string, secret: string): AccountChecked {
        const account = this.account(name);
        const ok = !/wrong/.test(secret);
        if (ok) Object.assign(account, { state: "kept", source: "the keychain" });
        if (ok && name === "anthropic") this.step("key", "done");
        return { ...account, checked: ok ? { ok, says: "It works." } : { ok, code: "KEY_REFUSED", says: "Anthropic refused the key.", suggestion: "Copy it once more, all of it, or make a new one." } };
    }

    private account(name: string): AccountShown {
        return this.accounts.find((one) => one.account === name) ?? { account: name, label: name, state: "missing", needed_for: "", checkable: true, sign_in: false };
    }

    private step(id: string, state: SetupStep["state"]): SetupStep | undefined {
        const step = this.steps.find((known) => known.id === id);
        return step && Object.assign(step, { state, says: state === "done" ? "It works." : step.says });
    }

    private pairing(): unknown {
        return { url: `https://brave-otter-12.ngrok.app/pair#c=${this.code.replaceAll("-", "").slice(0, 22)}`, also: [], code: this.code, expires_at: Date.now() + 118_000 };
    }

    private lan(): Lan {
        const { lan: urls } = this.house;
        return urls.length === 0 ? { words: "It is off.", status: { state: "off" }, certificate: null } : { words: `Open at ${urls[0]}.`, status: { state: "open", urls, expires: Date.now() + DAY }, certificate: { url: `${urls[0]}/lanyard-ca.crt`, fingerprint: "5b1f".repeat(16) } };
    }

    private phone(id: string | undefined): PhoneShown {
        const known = this.phones.find((one) => one.id === id);
        if (!known) throw new Refused(404, "NOT_FOUND", "There is no such phone.", "Look at the list.");
        return known;
    }

    private hostsShown(): Hosts {
        return { hosts: this.hosts, packages: this.packages };
    }

    private allowHost(host: string): unknown {
        if (host.startsWith("*.")) throw new Refused(400, "BAD_REQUEST", "Whole domains are rules of the config.", "Put it into egress.allow, in the settings.");
        if (!/^[\w.-]+(:\d+)?$/.test(host)) throw new Refused(400, "BAD_REQUEST", `"${host}" is not a host name.`, "Write it as in example.com or example.com:8443; *.example.com goes into egress.allow.");
        this.hosts = [{ id: 1 + Math.max(0, ...this.hosts.map(({ id }) => id)), host, at: Date.now(), session: null, approval: null }, ...this.hosts];
        return this.hostsShown();
    }

    private async *auditLines(): AsyncGenerator<string> {
        for (let id = 1; id <= this.audit.rows; id++) yield JSON.stringify({ id, at: this.began + id, kind: "paired", body: { name: `Phone ${id}` }, hash: "aGFzaA==" }) + "\n";
    }

    private happened(url: URL): unknown {
        const [kind, q, before] = ["kind", "q", "before"].map((name) => url.searchParams.get(name));
        const limit = Number(url.searchParams.get("limit") ?? 50);
        const all = this.activity.filter((item) => (!kind || item.kind === kind) && (!q || `${item.title} ${item.detail}`.toLowerCase().includes(q.toLowerCase())));
        const from = before ? all.findIndex((item) => item.id === before) : 0;
        return { items: all.slice(from, from + limit), ...(all[from + limit] ? { next: all[from + limit]?.id } : {}) };
    }

    private usage(url: URL): Usage {
        const by = (url.searchParams.get("by") ?? "day") as Usage["by"];
        const [from, to] = [Number(url.searchParams.get("from")), Number(url.searchParams.get("to"))];
        const days = Math.round((to - from) / DAY);
        const none = this.house.sessions.size === 0;
        const rows = by === "day" ? Array.from({ length: days }, (_, n) => used(dayKey(from + n * DAY), none || n % 7 > 4 ? 0 : 0.4 + ((n * 37) % 11) / 2.2)) : none ? [] : this.parts(by);
        const sum = rows.reduce((all, row) => all + row.dollars, 0);
        return { from, to, by, total: used("total", sum), prices_as_of: "2026-11", rows };
    }

    /** Also of sessions that are not listed any more. */
    private parts(by: "session" | "agent"): UsageRow[] {
        if (by === "agent") return [{ ...used("claude", 14), label: "claude" }, { ...used("reviewer", 3.2), label: "reviewer" }];
        const here = [...this.house.sessions.values()].map(({ id, title }) => ({ id, title }));
        const gone = ["Move the cart to the new store", "Read the crash reports", "Sort the icons", "Try the beta of the test runner", "Cut the release notes"].map((title, n) => ({ id: `gone-${n}`, title }));
        return [...here, ...gone].map(({ id, title }, n) => ({ ...used(id, 6 / (n + 1)), label: title }));
    }

    /** Waits for the owner's yes at GitHub. */
    private async *signIn(): AsyncGenerator<string> {
        yield JSON.stringify({ type: "code", code: "WDJB-MJHT", url: "https://github.com/login/device", expires_in: 899 }) + "\n";
        const says = await new Promise<boolean>((resolve) => (this.grant = resolve));
        const account = Object.assign(this.account("github"), says ? { state: "kept", source: "the keychain", problem: undefined } : {});
        yield JSON.stringify(says ? { type: "done", ...account, checked: { ok: true, says: "GitHub takes it: it is ada’s." } } : { type: "refused", code: "FORGE_REFUSED", message: "The owner said no.", suggestion: "Keep a fine-grained token instead." }) + "\n";
    }

    /** Says how far it is as it goes, one conversation in `importPace` milliseconds, and ends early when it is stopped. */
    private async *take(paths: string[]): AsyncGenerator<string> {
        this.stopImport = false;
        let done = 0;
        for (const path of paths) {
            if (this.stopImport) break;
            yield JSON.stringify({ type: "progress", path, done, of: paths.length, events: 40 * done }) + "\n";
            await new Promise((resolve) => setTimeout(resolve, this.importPace));
            const found = this.importable.find((one) => one.path === path);
            if (found) found.known = true;
            done++;
        }
        yield JSON.stringify({ type: "done", sessions: done, events: 40 * done, redacted: 0, skipped: [], stopped: done < paths.length }) + "\n";
    }
}

function matches(route: string, asked: string): boolean {
    return new RegExp(`^${route.replaceAll("*", "[^/]+")}$`).test(asked);
}

function used(key: string, dollars: number): UsageRow {
    const tokens = Math.round(dollars * 41_000);
    return { key, label: key, dollars, tokens_in: Math.round(tokens * 0.4), tokens_out: Math.round(tokens * 0.2), tokens_cache_read: tokens * 2, tokens_cache_write: Math.round(tokens * 0.5), responses: Math.round(dollars * 14), turns: Math.round(dollars * 3), time_ms: Math.round(dollars * 240_000) };
}

function dayKey(at: number): string {
    const day = new Date(at + DAY / 2);
    return `${day.getFullYear()}-${String(day.getMonth() + 1).padStart(2, "0")}-${String(day.getDate()).padStart(2, "0")}`;
}

export function phone(name: string, change: Partial<PhoneShown> = {}): PhoneShown {
    return { id: randomUUID(), name, browser: "Safari on iPhone", address: "84.115.22.7", scopes: ["read", "chat", "approve"], key: true, paired_at: Date.now() - 1_000, seen_at: Date.now() - 500, revoked_at: null, revoked_why: null, connected: 0, ...change };
}
