import { defineConfig } from 'vitest/config';

/** Set by `npm run prove`: the long proofs instead of the tests. */
const prove = process.env['TIDEMARK_PROVE'] === '1';
const minute = 60_000;

export default defineConfig({
  test: {
    include: [prove ? 'packages/*/prove/**/*.prove.ts' : 'packages/*/test/**/*.test.ts'],
    // A test file gets a process of its own, and all cores: tests that kill workers must not disturb others.
    pool: 'forks',
    fileParallelism: false,
    testTimeout: prove ? 60 * minute : 2 * minute,
    hookTimeout: prove ? 10 * minute : 2 * minute,
    teardownTimeout: 20_000,
    dangerouslyIgnoreUnhandledErrors: false,
    passWithNoTests: false,
    watch: false,
    reporters: ['./scripts/test-reporter.mjs'],
    // Workers load the built files, so the tests' own thread must load the same ones, by Node itself.
    server: { deps: { external: [/\/packages\/[^/]+\/(dist|bin)\//] } },
  },
});
