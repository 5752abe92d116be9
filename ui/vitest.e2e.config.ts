import { defineConfig } from "vitest/config";

// A real browser on the built page: `npm run build` first.
export default defineConfig({
    test: { include: ["tests/e2e/**/*.test.ts"], testTimeout: 90_000, hookTimeout: 60_000, fileParallelism: false },
});
