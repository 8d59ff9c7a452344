/** Targets that fail on purpose when a certain byte comes: they show that the fuzzer sees each kind of failure. */

import type { FuzzTarget } from './target.js';

/** Where a `!` stands that is not in the good input. */
const BAD = 0x21;

const failing = (name: string, fail: () => void): FuzzTarget => ({
  name: `self-test-${name}`,
  seeds: [() => new Uint8Array(1000).fill(0x2e)],
  words: ['!'],
  feed(input) {
    if (input.includes(BAD)) fail();
  },
});

const held: Uint8Array[] = [];

export const SELF_TEST_TARGETS: readonly FuzzTarget[] = [
  failing('throw', () => {
    throw new TypeError('on purpose');
  }),
  failing('hang', () => {
    for (;;);
  }),
  failing('slow', () => {
    const used = (): number => process.cpuUsage().user + process.cpuUsage().system;
    const end = used() + 2_500_000;
    while (used() < end);
  }),
  failing('memory', () => {
    held.push(new Uint8Array(400 * 2 ** 20).fill(1));
  }),
  failing('exit', () => {
    process.kill(process.pid, 'SIGKILL');
  }),
];
