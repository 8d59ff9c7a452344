/** Makes hostile inputs out of good dumps, tries them, and makes a failing one small. */

import { MemorySource } from '../../parsers/bytes/source.js';
import { InputError } from '../../parsers/bytes/input-error.js';
import { OpenedDump } from '../../src/kernel/opened-dump.js';
import { analyze } from '../../src/leak/analyze.js';
import { inspect } from '../../src/leak/inspect.js';
import { renderAnalysis } from '../../src/report/text/analyze.js';
import { renderJson } from '../../src/report/json.js';
import { buildDump, type Scenario } from '../build-dump.js';
import { Prng } from '../prng.js';

/** Most processor time that one input may take, in milliseconds: a busy machine must not look like a hang. */
const SLOWEST = 2000;
/** Resident memory allowed over what the process has before the run. */
const LARGEST = 300 * 2 ** 20;

/** Small machines, one of each kind of body and generation, so that thousands of runs are cheap. */
const tiny: Scenario = {
  kernel: '10.0.19041.804',
  processors: 2,
  memory: { bytes: 64 * 2 ** 20 },
  modules: [
    { name: 'hal.dll', size: 0x8000 },
    { name: 'acmenet.sys', size: 0x9000, tags: [{ tag: 'Leak', style: 'alloc' }, { tag: 'Leak', style: 'text', text: 'xLeaky' }] },
  ], // prettier-ignore
  pool: {
    tableSize: 257,
    rows: [
      { tag: 'Leak', nonPaged: { allocs: 5000, frees: 12, bytes: 30_000_000 } },
      { tag: 'File', nonPaged: { allocs: 900, frees: 100, bytes: 300_000 } },
    ],
  },
};

/** The dumps that inputs are made from. */
export const SEEDS: readonly Scenario[] = [
  { ...tiny, kind: 'full' },
  { ...tiny, kind: 'bitmap-kernel' },
  { ...tiny, kind: 'bitmap-full', kernel: '10.0.22000.2538' },
  { ...tiny, kind: 'automatic', kernel: '6.3.9600.21620' },
  { ...tiny, kind: 'kernel', kernel: '6.1.7601.24540' },
  { ...tiny, kind: 'triage' },
  { ...tiny, kind: 'bitmap-kernel', hideIdentity: 'unknown-all' },
  { ...tiny, kind: 'rdmp-full' },
  { ...tiny, kind: 'rdmp-kernel', kernel: '10.0.20348.2400', paging: { levels: 5 } },
  { ...tiny, kind: 'bitmap-kernel', kernel: '10.0.22000.2538', architecture: 'arm64' },
  {
    ...tiny,
    header: { directoryTableBase: 'wrong' },
    moduleList: { breakAfter: 1, breakBefore: 2 },
    secondaryData: [{ guid: 'e83b40d2-b0a0-4842-abea-71c9e3463dd1', hex: '4d434647'.repeat(40) }],
  },
  { ...tiny, kind: 'full', kernel: '2600', architecture: 'x86', paging: { pae: false } },
  { ...tiny, kind: 'kernel', kernel: '3790', architecture: 'x86' },
  { ...tiny, kind: 'bitmap-kernel', kernel: '19041', architecture: 'x86' },
  { ...tiny, kind: 'triage', kernel: '7601', architecture: 'x86', dataBlockSize: 12 },
];

/** One change of a byte string. */
type Change =
  | { kind: 'set'; at: number; bytes: number[] }
  | { kind: 'cut'; at: number }
  | { kind: 'random'; length: number; seed: number };

export interface FuzzFailure {
  message: string;
  input: Uint8Array;
}

const built = new Map<number, Uint8Array>();

function original(index: number): Uint8Array {
  let bytes = built.get(index);
  if (bytes === undefined) {
    bytes = buildDump(SEEDS[index] ?? {}).toBytes();
    built.set(index, bytes);
  }
  return bytes;
}

/** The values that break readers: borders of widths, sign bits, `PAGE` filler. */
const NASTY = [0, 1, 0x7f, 0x80, 0xff, 0xfff, 0x1000, 0x7fffffff, 0x80000000, 0xffffffff, 0x45474150, 0xfffffff0];

/** The input of a seed, tried. The same seed gives the same input. */
export function fuzzOnce(seed: number): { failure: FuzzFailure | null; ms: number } {
  const random = new Prng(seed);
  const index = below(random, SEEDS.length);
  const bytes = original(index);
  const changes = choose(random, bytes);
  const started = performance.now();
  const message = attempt(apply(bytes, changes));
  const ms = performance.now() - started;
  if (message === null) return { failure: null, ms };
  let small = changes;
  for (const change of changes) {
    const fewer = small.filter((c) => c !== change);
    if (attempt(apply(bytes, fewer)) !== null) small = fewer;
  }
  return { failure: { message, input: apply(bytes, small) }, ms };
}

function choose(random: Prng, bytes: Uint8Array): Change[] {
  if (below(random, 50) === 0) return [{ kind: 'random', length: below(random, 200_000), seed: below(random, 1e9) }];
  const changes: Change[] = [];
  const count = 1 + below(random, 12);
  for (let i = 0; i < count; i++) {
    // Half of the changes hit the header and the body's own header, where one byte decides most.
    const limit = below(random, 2) === 0 ? Math.min(bytes.length, 0x2100) : bytes.length;
    const at = below(random, Math.max(1, limit - 8));
    if (below(random, 25) === 0) {
      changes.push({ kind: 'cut', at: below(random, bytes.length) });
      continue;
    }
    const width = [1, 2, 4, 8][below(random, 4)] ?? 1;
    const value = below(random, 2) === 0 ? (NASTY[below(random, NASTY.length)] ?? 0) : below(random, 0xffffffff);
    const aligned = at - (at % width);
    changes.push({
      kind: 'set',
      at: aligned,
      bytes: Array.from({ length: width }, (_, b) => (value >>> (8 * (b % 4))) & 255),
    });
  }
  return changes;
}

function apply(bytes: Uint8Array, changes: readonly Change[]): Uint8Array {
  let result = Uint8Array.from(bytes);
  for (const change of changes) {
    if (change.kind === 'cut') result = result.subarray(0, Math.min(result.length, change.at));
    else if (change.kind === 'set') {
      change.bytes.forEach((byte, i) => {
        if (change.at + i < result.length) result[change.at + i] = byte;
      });
    } else {
      const random = new Prng(change.seed);
      result = Uint8Array.from({ length: change.length }, () => below(random, 256));
    }
  }
  return result;
}

/** A whole number from 0 up to but not including `end`. */
const below = (random: Prng, end: number): number => Math.floor(random.float() * end);

/** Null when the input is handled as it must be, else what went wrong. */
function attempt(input: Uint8Array): string | null {
  const before = process.memoryUsage().rss;
  const started = process.cpuUsage();
  try {
    const source = new MemorySource(input, 'fuzz.dmp');
    const opened = OpenedDump.over('fuzz.dmp', { source, fileBytes: input.length, container: null, damage: null });
    inspect(opened);
    const result = analyze(opened);
    renderAnalysis(result);
    JSON.parse(renderJson(result));
  } catch (error) {
    if (!(error instanceof InputError)) return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const used = process.cpuUsage(started);
  const ms = (used.user + used.system) / 1000;
  if (ms > SLOWEST) return `took ${ms.toFixed(0)} ms of processor time`;
  const grown = process.memoryUsage().rss - before;
  return grown > LARGEST ? `took ${(grown / 2 ** 20).toFixed(0)} MB` : null;
}
