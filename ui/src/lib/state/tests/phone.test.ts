// Which session a person meets when the page opens.

import { expect, test } from "vitest";
import type { SessionShown } from "../../api/wire";
import { Ways } from "../../ways";
import { Phone, remember } from "../phone.svelte";
import { FakeHost, shelf, until } from "./stand";

const session = (id: string, last_at: number) => ({ id, number: 1, title: id, state: "idle", last_at, tags: [] }) as unknown as SessionShown;

async function opened(): Promise<{ phone: Phone; host: FakeHost }> {
    const host = new FakeHost();
    const kept = await shelf();
    // The page was closed before it wrote down that "mine" is there.
    await kept.write("picture", { sessions: [session("older", 5)], approvals: [] });
    remember("mine");
    const phone = new Phone(kept, new Ways("https://far.example", async () => true), undefined, host);
    await phone.live();
    return { phone, host };
}

test("the session a person was in is shown again, also before the gateway says that it is there", async () => {
    const { phone, host } = await opened();
    expect(phone.current).toBe("mine");
    host.welcome = { sessions: [session("older", 5), session("mine", 3)] };
    host.greet();
    await until(() => phone.sessions.told);
    expect(phone.current).toBe("mine");
});

test("a session that is no more gives way to the one last used", async () => {
    const { phone, host } = await opened();
    host.welcome = { sessions: [session("older", 5)] };
    host.greet();
    await until(() => phone.sessions.told);
    expect(phone.current).toBe("older");
});
