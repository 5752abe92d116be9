import { defineConfig } from "vitest/config";

const real = process.env["LANYARD_URL"] !== undefined;

// A real browser on the built page (`npm run build` first): the stand-in's screens, or a real gateway's way.
export default defineConfig({
    test: {
        include: real ? ["tests/e2e/real/*.test.ts", "tests/e2e/journey.test.ts"] : ["tests/e2e/*.test.ts"],
        testTimeout: 90_000,
        hookTimeout: 90_000,
        fileParallelism: false,
    },
});
