import { beforeEach, expect, test } from "vitest";
import type { HostAllowed } from "../../../api/desk";
import { Problem } from "../../../problem";
import { Hosts } from "../hosts.svelte";
import { FakeDesk, asked } from "./stand";

let host: FakeDesk;
let hosts: Hosts;
let kept: HostAllowed[];
const one = (id: number, name: string): HostAllowed => ({ id, host: name, at: id, session: null, approval: null });
const names = () => hosts.list.value?.hosts.map((one) => one.host);

beforeEach(async () => {
    host = new FakeDesk();
    kept = [one(1, "a.example")];
    host.answers = { "GET /hosts": () => ({ hosts: kept, packages: [] }), "POST /hosts/1/forget": () => ({ hosts: [], packages: [] }), "POST /hosts": () => ({ hosts: [one(2, "b.example"), ...kept], packages: [] }) };
    hosts = new Hosts(host);
    await hosts.list.load();
});

test("a host that is allowed stands in the list at once, as it was typed but for the space around it", async () => {
    expect(await hosts.allow(" b.example\n")).toBe(true);
    expect(asked(host, "POST /hosts")).toEqual([{ host: "b.example" }]);
    expect([names(), asked(host, "GET /hosts").length]).toEqual([["b.example", "a.example"], 1]);
});

test("a host that is refused leaves the list as it was, and says why", async () => {
    host.answers["POST /hosts"] = () => {
        throw new Problem("BAD_REQUEST", "Whole domains are rules of the config.", "Put it into egress.allow.");
    };
    expect(await hosts.allow("*.example")).toBe(false);
    expect([names(), hosts.deed.failed, hosts.deed.problem?.suggestion]).toEqual([["a.example"], "allow", "Put it into egress.allow."]);
});

test("one that is taken back is gone", async () => {
    expect(await hosts.takeBack(1)).toBe(true);
    expect(names()).toEqual([]);
});

test("one that was taken back elsewhere already goes too", async () => {
    kept = [];
    host.answers["POST /hosts/1/forget"] = () => {
        throw new Problem("NOT_FOUND", "No such host is allowed.", "Look at those there are.");
    };
    expect(await hosts.takeBack(1)).toBe(false);
    expect(names()).toEqual([]);
});

test("a list that was asked for before a change does not undo it", async () => {
    let answer: (list: object) => void = () => {};
    host.answers["GET /hosts"] = () => new Promise((resolve) => (answer = resolve));
    const old = hosts.list.load();
    await hosts.takeBack(1);
    answer({ hosts: kept, packages: [] });
    await old;
    expect([names(), hosts.list.busy]).toEqual([[], false]);
});
