import { defineConfig } from 'vitest/config'

/** Nobody's tests are run but our own. */
const exclude = ['**/node_modules/**', '**/testdata/**']
/** The services that the tests start need not be compiled each time. */
const env = { NODE_COMPILE_CACHE: `${import.meta.dirname}/node_modules/.cache/node` }
/** How long a condition is waited for: a second is little on a busy machine. */
const expect = { poll: { timeout: 25_000 } }
const needsCluster = ['**/*.cluster.test.ts', 'test/e2e/**/*.test.ts']

export default defineConfig({
  test: {
    // A line per file, failures at the end, then the counts.
    reporters: ['default'],
    // Real servers and two cores: more files at once only wait for each other.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          env,
          expect,
          include: ['**/*.test.ts'],
          exclude: [...exclude, ...needsCluster],
          globalSetup: ['packages/testkit/src/tools-setup.ts'],
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'cluster',
          env,
          expect,
          include: needsCluster,
          exclude,
          globalSetup: ['packages/testkit/src/tools-setup.ts', 'packages/testkit/src/cluster-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
