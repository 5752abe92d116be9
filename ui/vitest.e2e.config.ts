import { defineConfig } from "vitest/config";

// A real browser on the built page: `npm run build` first.
export default defineConfig({
    test: { include: ["tests/e2e/**/*.test.ts"], testTimeout: process.env["LANYARD_URL"] ? 300_000 : 90_000, hookTimeout: 90_000, fileParallelism: false },
});
