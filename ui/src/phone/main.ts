// One page for two visits: what a link in a text shows, and the phone page itself.

import { mount } from "svelte";
import { takeCode } from "../lib/code";
import "../lib/look.css";

const target = document.getElementById("app");

async function show(into: HTMLElement): Promise<void> {
    if (/^\/[ap]\//.test(location.pathname)) {
        const { default: LinkPage } = await import("./link/LinkPage.svelte");
        mount(LinkPage, { target: into });
    } else {
        const code = takeCode();
        const { default: PhonePage } = await import("./PhonePage.svelte");
        mount(PhonePage, { target: into, props: { code } });
    }
}

if (target) void show(target);
