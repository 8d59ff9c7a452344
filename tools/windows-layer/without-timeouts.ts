/**
 * Loaded by mocha in the layer: no test has a limit of its own there, for it is slower than any machine that one was set
 * for. The layer limits the time of a file.
 */

import type { Hook, Suite } from 'mocha';

type WithHooks = Suite & { getHooks(kind: string): Hook[] };
const KINDS = ['beforeAll', 'beforeEach', 'afterAll', 'afterEach'];

export const mochaHooks = {
  beforeAll(this: Mocha.Context): void {
    if (this.test?.parent !== undefined) lift(this.test.parent);
  },
};

function lift(suite: Suite): void {
  for (const hook of KINDS.flatMap((kind) => (suite as WithHooks).getHooks(kind))) hook.timeout(0);
  for (const test of suite.tests) test.timeout(0);
  suite.suites.forEach(lift);
}
