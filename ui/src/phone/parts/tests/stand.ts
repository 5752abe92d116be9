// A component with a phone around it whose gateway is in memory.

import { render } from "@testing-library/svelte";
import type { Component } from "svelte";
import type { ApprovalShown } from "../../../lib/api/wire";
import { HERE } from "../../../lib/state/here";
import { Keyring } from "../../../lib/keyring";
import { PHONE, Phone } from "../../../lib/state/phone.svelte";
import { FakeHost, shelf } from "../../../lib/state/tests/stand";

export async function phone(): Promise<{ phone: Phone; host: FakeHost }> {
    const host = new FakeHost();
    const disk = await shelf();
    const phone = new Phone(disk, undefined, new Keyring(disk), host);
    phone.pairing.isNow({ name: "Ada's phone", scopes: ["read", "chat", "approve"] });
    return { phone, host };
}

export function show<P extends Record<string, unknown>>(component: Component<P>, phone: Phone, props: P) {
    return render(component as Component, { props, context: new Map([[PHONE, phone], [HERE, phone]]) });
}

export function approval(change: Partial<ApprovalShown> = {}): ApprovalShown {
    return {
        id: "a1", number: 7, session_id: "s", turn: null, kind: "tool", tool: "Bash", target: null, input: { command: "npm test" }, input_hash: "hash", shown: "run: npm test",
        questions: [], risk: "low", always: ["Bash(npm test *)"], asked_at: Date.now(), expires_at: Date.now() + 600_000, state: "open", sent: [], ...change,
    };
}
