import { defineConfig } from "vitest/config";

const { LANYARD_URL: phone, LANYARD_DESK: desk } = process.env;
const real = phone !== undefined ? ["tests/e2e/real/*.test.ts", "tests/e2e/journey.test.ts"] : desk !== undefined ? ["tests/e2e/desk/*.test.ts"] : null;

// A real browser on the built pages (`npm run build` first): the stand-in's screens, or a real gateway's way.
export default defineConfig({
    test: {
        include: real ?? ["tests/e2e/*.test.ts"],
        testTimeout: 90_000,
        hookTimeout: 90_000,
        fileParallelism: false,
    },
});
