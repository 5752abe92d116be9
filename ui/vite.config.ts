import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import { defineConfig } from "vitest/config";

export default defineConfig({
    plugins: [svelte(), svelteTesting()],
    build: {
        // The oldest phones that get security updates.
        target: ["safari16", "chrome111", "firefox115"],
        // The gateway's content policy allows files of its own and nothing inline.
        assetsInlineLimit: 0,
        modulePreload: { polyfill: false },
        rolldownOptions: { input: { phone: "phone.html" } },
    },
    // The icon lies beside this folder.
    server: { fs: { allow: [".."] } },
    test: { environment: "jsdom", include: ["src/**/*.test.ts"] },
});
