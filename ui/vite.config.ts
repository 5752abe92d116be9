import { createHash } from "node:crypto";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import { type Plugin, type Rolldown, build } from "vite";
import { defineConfig } from "vitest/config";

/** The oldest phones that get security updates. */
const TARGET = ["safari16", "chrome111", "firefox115"];

/** What lies beside the built files and belongs to the page. */
const BESIDE = ["/manifest.webmanifest", "/icons/192.png"];

/** The service worker: one file of its own, that knows the names of all that the page is made of. */
function worker(): Plugin {
    return {
        name: "lanyard-worker",
        apply: "build",
        async writeBundle({ dir }, bundle) {
            const names = [...filesOf(bundle, "phone.html")];
            const shell = ["/", ...BESIDE, ...names.map((name) => `/${name}`).sort()];
            const page = bundle["phone.html"];
            const version = createHash("sha256").update(JSON.stringify([shell, page?.type === "asset" ? String(page.source) : ""])).digest("hex").slice(0, 12);
            await build({
                configFile: false,
                logLevel: "warn",
                publicDir: false,
                define: { __SHELL__: JSON.stringify(shell), __VERSION__: JSON.stringify(version) },
                build: {
                    target: TARGET,
                    outDir: dir ?? "dist",
                    emptyOutDir: false,
                    rolldownOptions: { input: "src/worker/sw.ts", output: { format: "iife", entryFileNames: "sw.js" } },
                },
            });
        },
    };
}

/** All that one page is made of, and nothing of another. */
function filesOf(bundle: Rolldown.OutputBundle, page: string): Set<string> {
    const files = new Set<string>();
    const take = (name: string): void => {
        const file = bundle[name];
        if (files.has(name) || !file) return;
        files.add(name);
        if (file.type !== "chunk") return;
        const { importedCss = [], importedAssets = [] } = file.viteMetadata ?? {};
        for (const needed of [...file.imports, ...file.dynamicImports, ...importedCss, ...importedAssets]) take(needed);
    };
    for (const file of Object.values(bundle)) if (file.type === "chunk" && file.facadeModuleId?.endsWith(`/${page}`)) take(file.fileName);
    // What the page itself names beside its script: its icon.
    const html = bundle[page];
    const words = html?.type === "asset" ? String(html.source) : "";
    for (const [, name = ""] of words.matchAll(/(?:href|src)="\/([^"]+)"/g)) take(name);
    return files;
}

export default defineConfig({
    plugins: [svelte(), svelteTesting(), worker()],
    build: {
        target: TARGET,
        // The gateway's content policy allows files of its own and nothing inline.
        assetsInlineLimit: 0,
        modulePreload: { polyfill: false },
        rolldownOptions: { input: { phone: "phone.html", window: "index.html" } },
    },
    // The icon lies beside this folder.
    server: { fs: { allow: [".."] } },
    test: { environment: "jsdom", include: ["src/**/*.test.ts"], setupFiles: ["tests/setup.ts"] },
});
