import { createHash } from "node:crypto";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import { type Plugin, build } from "vite";
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
            const names = Object.keys(bundle).filter((name) => name.startsWith("assets/"));
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

export default defineConfig({
    plugins: [svelte(), svelteTesting(), worker()],
    build: {
        target: TARGET,
        // The gateway's content policy allows files of its own and nothing inline.
        assetsInlineLimit: 0,
        modulePreload: { polyfill: false },
        rolldownOptions: { input: { phone: "phone.html" } },
    },
    // The icon lies beside this folder.
    server: { fs: { allow: [".."] } },
    test: { environment: "jsdom", include: ["src/**/*.test.ts"], setupFiles: ["tests/setup.ts"] },
});
