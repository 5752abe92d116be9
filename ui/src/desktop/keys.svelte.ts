// The keyboard: what each key does, said in one place for the keys themselves, the palette and the page of keys.

import { tick } from "svelte";
import type { IconName } from "../lib/components/Icon.svelte";
import type { Desk } from "../lib/state/desk/desk.svelte";

export interface Command {
    name: string;
    icon: IconName;
    /** Further words by which it is found. */
    also?: string;
    /** `g h`: one after the other. */
    keys?: string;
    run: () => void;
}

const PAUSE_MS = 1_200;
const isMac = /Mac/.test(navigator.platform);
export const MOD = isMac ? "⌘" : "Ctrl";

export class Keys {
    palette = $state(false);
    help = $state(false);
    private first = "";
    private timer: ReturnType<typeof setTimeout> | undefined;

    constructor(private readonly desk: Desk) {}

    /** What can be done from anywhere. */
    get commands(): Command[] {
        const { desk } = this;
        const go = (name: string, icon: IconName, path: string, keys: string, also = ""): Command => ({ name, icon, keys, also, run: () => desk.places.go(path) });
        const paused = desk.house.status?.sandbox === "paused";
        const tunnel = (desk.house.status?.tunnel_state ?? "off") !== "off";
        return [
            { name: "New session", icon: "plus", keys: "c", also: "say ask begin chat", run: () => desk.places.go("/sessions/new") },
            { name: "Search everything said and done", icon: "search", keys: "/", also: "find", run: () => this.search() },
            { name: "New task", icon: "branch", keys: "n", also: "repository pull request hand out", run: () => desk.places.go("/tasks/new") },
            go("Home", "home", "/", "g h", "state status"),
            go("Sessions", "chat", "/sessions", "g s", "history chats"),
            go("Tasks", "branch", "/tasks", "g t", "repository pull request queue"),
            go("Approvals", "hand", "/approvals", "g a", "allow deny questions"),
            go("Phones", "phone", "/phones", "g p", "devices tokens revoke"),
            go("Activity", "activity", "/activity", "g l", "log audit"),
            go("Usage", "chart", "/usage", "g u", "cost spend money tokens"),
            go("Settings", "settings", "/settings", "g ,", "config preferences"),
            go("Set-up", "list", "/setup", "g i", "wizard twilio key"),
            go("Pair a phone", "code", "/pair", "g q", "qr code"),
            { name: paused ? "Resume the sandbox" : "Pause the sandbox", icon: paused ? "play" : "pause", also: "stop freeze", run: () => void (paused ? desk.home.resume() : desk.home.pause()) },
            { name: tunnel ? "Switch the tunnel off" : "Switch the tunnel on", icon: "globe", also: "ngrok public address", run: () => void desk.home.tunnel(!tunnel) },
            { name: "Hosts the sandbox may reach", icon: "globe", also: "egress allow settings network", run: () => desk.places.go("/settings/egress.allow") },
            { name: "Check everything", icon: "again", also: "doctor trouble mend", run: () => (desk.places.go("/"), void desk.home.examine()) },
            { name: "Change between light and dark", icon: "light", keys: "t", also: "theme look system", run: () => desk.looks.next() },
            { name: "Keys", icon: "more", keys: "?", also: "keyboard shortcuts help", run: () => (this.help = true) },
        ];
    }

    start(): () => void {
        const pressed = (event: KeyboardEvent) => this.pressed(event);
        window.addEventListener("keydown", pressed);
        return () => window.removeEventListener("keydown", pressed);
    }

    private search(): void {
        const { places } = this.desk;
        // A narrow window shows the list or a session.
        if (places.place.screen !== "sessions" || matchMedia("(max-width: 960px)").matches) places.go("/sessions");
        void tick().then(() => document.querySelector<HTMLInputElement>("input[type=search]")?.focus());
    }

    private pressed(event: KeyboardEvent): void {
        if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
            event.preventDefault();
            this.palette = !this.palette;
            return;
        }
        const free = !event.ctrlKey && !event.metaKey && !event.altKey && !event.defaultPrevented;
        if (!free || isTyping(event.target) || document.querySelector("dialog[open]")) return;
        const wanted = this.first === "" ? event.key : `${this.first} ${event.key}`;
        this.first = "";
        clearTimeout(this.timer);
        const command = this.commands.find(({ keys }) => keys === wanted);
        if (command) {
            event.preventDefault();
            command.run();
        } else if (this.commands.some(({ keys }) => keys?.startsWith(`${event.key} `))) {
            this.first = event.key;
            this.timer = setTimeout(() => (this.first = ""), PAUSE_MS);
        }
    }
}

function isTyping(target: EventTarget | null): boolean {
    return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}
