// The service worker: the page opens without a line, and what needs the owner is told while it is closed. It keeps the page's
// own files and pictures that were looked at, and nothing that the API says.

import { WebHost, answers, via } from "../lib/host";
import { Keyring } from "../lib/keyring";
import { asProblem } from "../lib/problem";
import { PICTURES, Shelf } from "../lib/shelf";
import { ADDRESSES, type Addresses, Ways, allowing } from "../lib/ways";
import { type Notice, noticeIn, permissionFor, unanswered } from "./notice";

declare const self: ServiceWorkerGlobalScope;
/** The files of this version of the page, put in by the build. */
declare const __SHELL__: string[];
declare const __VERSION__: string;

const SHELL = `lanyard-page-${__VERSION__}`;
/** Some screens full of pictures. */
const PICTURES_KEPT = 60;

self.addEventListener("install", (event) => {
    // Past the browser's cache: what a new version is made of must be new. A name with a hash in it never holds anything else, and
    // what the page has just loaded is not fetched twice.
    const fresh = __SHELL__.map((path) => (path.startsWith("/assets/") ? path : new Request(path, { cache: "reload" })));
    event.waitUntil(caches.open(SHELL).then((cache) => cache.addAll(fresh)));
});

self.addEventListener("activate", (event) => event.waitUntil(takeOver()));

self.addEventListener("message", (event) => {
    if (event.data === "take over") void self.skipWaiting();
});

async function takeOver(): Promise<void> {
    const old = (await caches.keys()).filter((name) => name !== SHELL && name !== PICTURES);
    await Promise.all(old.map((name) => caches.delete(name)));
    await self.clients.claim();
}

self.addEventListener("fetch", (event) => {
    const { request } = event;
    const url = new URL(request.url);
    if (request.method !== "GET" || url.origin !== location.origin || url.pathname.startsWith("/api/")) return;
    if (request.mode === "navigate") {
        if (url.pathname === "/" || url.pathname === "/pair") event.respondWith(kept("/", request).then(upToDate));
        else if (/^\/[ap]\//.test(url.pathname)) event.respondWith(fetch(request).catch(() => kept("/", request)));
    } else if (__SHELL__.includes(url.pathname)) event.respondWith(kept(url.pathname, request));
    else if (request.destination === "image") event.respondWith(picture(request));
});

async function kept(path: string, request: Request): Promise<Response> {
    return (await caches.match(path, { cacheName: SHELL })) ?? fetch(request);
}

/** The page may speak to addresses that the computer got after this version of the page was kept. */
async function upToDate(page: Response): Promise<Response> {
    const policy = page.headers.get("content-security-policy");
    const known = await addresses().catch(() => undefined);
    if (policy === null || !known) return page;
    const headers = new Headers(page.headers);
    headers.set("content-security-policy", allowing(policy, [...known.lan, ...(known.tunnel ? [known.tunnel] : [])]));
    return new Response(page.body, { status: page.status, headers });
}

async function addresses(): Promise<Addresses | undefined> {
    const shelf = await Shelf.open();
    return shelf.note<Addresses>(ADDRESSES).finally(() => shelf.close());
}

async function picture(request: Request): Promise<Response> {
    const cache = await caches.open(PICTURES);
    const known = await cache.match(request);
    if (known) return known;
    const response = await fetch(request);
    if (response.ok && response.headers.get("content-type")?.startsWith("image/")) {
        await cache.put(request, response.clone());
        const all = await cache.keys();
        await Promise.all(all.slice(0, Math.max(0, all.length - PICTURES_KEPT)).map((old) => cache.delete(old)));
    }
    return response;
}

self.addEventListener("push", (event) => {
    const notice = noticeIn(event.data?.text() ?? "");
    event.waitUntil(tell(notice));
});

/** What was not acknowledged comes again as a text, so the gateway hears of it only once it is shown. */
async function tell(notice: Notice): Promise<void> {
    const { tag, silent } = notice.options;
    // Not every browser lets a newer notice take the place of one with the same tag.
    if (tag && silent) for (const asked of await self.registration.getNotifications({ tag })) asked.close();
    await self.registration.showNotification(notice.title, notice.options as NotificationOptions);
    const { letter } = notice.options.data;
    if (letter !== null) await request("/api/push/shown", { letter }).catch(() => null);
}

self.addEventListener("notificationclick", (event) => {
    event.notification.close();
    const notice = event.notification.data as Notice["options"]["data"];
    const permission = permissionFor(event.action, notice);
    event.waitUntil(permission ? answer(permission, notice.path) : show(notice.path));
});

/** An answer that did not arrive is not silently lost. */
async function answer({ path, body }: { path: string; body: unknown }, page: string): Promise<void> {
    try {
        await request(path, body);
    } catch (error) {
        const { title, body } = unanswered(asProblem(error));
        await self.registration.showNotification(title, { body, data: { path: page } });
    }
}

async function request(path: string, body: unknown): Promise<void> {
    const shelf = await Shelf.open();
    const ways = new Ways(location.origin, answers);
    const known = await shelf.note<Addresses>(ADDRESSES);
    if (known) ways.learn(known);
    await ways.choose();
    await new WebHost(new Keyring(shelf, via(ways)), ways).request("POST", path, body).finally(() => shelf.close());
}

async function show(path: string): Promise<void> {
    const [page] = await self.clients.matchAll({ type: "window" });
    if (!page) return void (await self.clients.openWindow(path));
    await page.focus();
    await page.navigate(path).catch(() => null);
}
