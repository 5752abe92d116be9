// The steps from an installed Lanyard to one that works, in plain words.

import type { StepId } from "../lib/api/desk";
import type { IconName } from "../lib/components/Icon.svelte";

export interface Told {
    title: string;
    /** Why it is there at all. */
    why: string;
    icon: IconName;
    /** About how long it takes. */
    takes: string;
    /** Lanyard is of no use without it. */
    needed: boolean;
}

export const STEPS: Record<StepId, Told> = {
    docker: { title: "Docker", why: "Agents work in a locked container on this computer. Docker is what runs it.", icon: "box", takes: "no time where it runs already", needed: true },
    image: { title: "The sandbox", why: "What is inside the container: Claude Code, Node, git, a browser. It is built once, on this computer.", icon: "download", takes: "3 to 10 minutes, by itself", needed: true },
    key: { title: "Anthropic key", why: "Claude Code answers with it. It stays in this computer's keychain and never enters the sandbox.", icon: "key", takes: "one minute", needed: true },
    tunnel: { title: "Public address", why: "So that your phone reaches this computer from anywhere. ngrok carries it; a free account is enough.", icon: "globe", takes: "one minute", needed: false },
    texting: { title: "Texting", why: "Text your agent and be texted back, through a Twilio number of your own.", icon: "chat", takes: "two minutes with a number", needed: false },
    allow: { title: "Your number", why: "Only numbers that you name here may text Lanyard. Everybody else gets no answer.", icon: "hand", takes: "a few seconds", needed: false },
    phone: { title: "Your phone", why: "Scan a code with its camera: chat, allow and deny, pictures, notices.", icon: "phone", takes: "a few seconds", needed: false },
};
