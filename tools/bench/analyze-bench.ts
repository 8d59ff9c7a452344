/** The main command: cost against the dump's size, against starting node, in memory, in bytes read; speed of the search. */

import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { failed } from '../../parsers/bytes/failure.js';
import { OpenedDump } from '../../src/kernel/open/opened-dump.js';
import { readModules } from '../../src/kernel/modules/modules.js';
import { searchTags } from '../../src/kernel/modules/tag-search.js';
import { buildDump } from '../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../test-dumps/scenarios.js';
import { measure, type BenchLine } from './measure.js';
import { realSize } from './search-bench.js';
import { zipOf } from '../../test-dumps/containers/zip.js';

const GB = 2 ** 30;
const MAIN = fileURLToPath(new URL('../../bin/dumpleak.js', import.meta.url));
const STEPS = fileURLToPath(new URL('./steps.js', import.meta.url));

/** All lines for the main command. Writes sparse dumps of 1 GB and 64 GB to a temporary folder. */
export async function analyzeBench(): Promise<BenchLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-bench-'));
  try {
    const small = join(folder, 'small.dmp');
    const large = join(folder, 'large.dmp');
    write(small, 1);
    write(large, 64);
    const node = measure(['-e', '0'], 15);
    const lines: BenchLine[] = [];
    const version = measure([MAIN, '--version'], 15);
    lines.push({
      name: 'dumpleak --version against node -e 0',
      ratio: version.cpuMs / node.cpuMs,
      goal: 1.5,
      detail: `${version.cpuMs.toFixed(0)} ms against ${node.cpuMs.toFixed(0)} ms of processor time`,
    });
    for (const step of ['open', 'analyze']) {
      const a = measure([STEPS, step, small], 7);
      const b = measure([STEPS, step, large], 7);
      lines.push({
        name: step === 'open' ? 'open + modules, 64 GB against 1 GB' : 'analyze, 64 GB against 1 GB',
        ratio: b.cpuMs / a.cpuMs,
        goal: 1.1,
        detail: `${b.cpuMs.toFixed(0)} ms against ${a.cpuMs.toFixed(0)} ms of processor time`,
      });
    }
    const whole = measure([MAIN, 'analyze', large], 7);
    lines.push({
      name: 'dumpleak analyze (64 GB) against node -e 0',
      ratio: whole.cpuMs / node.cpuMs,
      // Node 22 and later start in less than half the time, and keep what they compile.
      goal: Number(process.versions.node.split('.')[0]) >= 22 ? 3 : 4,
      detail: `${whole.cpuMs.toFixed(0)} ms against ${node.cpuMs.toFixed(0)} ms of processor time`,
    });
    lines.push({
      name: 'peak memory of analyze (64 GB)',
      ratio: whole.peakBytes / 2 ** 20,
      goal: 90,
      unit: 'MB',
      detail: `node -e 0 alone: ${(node.peakBytes / 2 ** 20).toFixed(0)} MB`,
    });
    const bytesRead = Number(measure([STEPS, 'bytes', large], 1).stdout);
    lines.push({
      name: 'bytes read of the 64 GB file',
      ratio: bytesRead / statSync(large).size,
      goal: 0.01,
      detail: `${(bytesRead / 2 ** 20).toFixed(1)} MB of ${(statSync(large).size / GB).toFixed(1)} GB`,
    });
    const real = join(folder, 'real.dmp');
    buildDump(realSize()).writeTo(real);
    const slowReads = Number(measure([STEPS, 'slow-reads', real], 1).stdout);
    rmSync(real);
    lines.push({
      name: 'reads of a slow disk (5 ms each) to the verdict, kernel dump with 220 modules',
      ratio: slowReads,
      goal: 400,
      unit: 'reads',
      detail: 'each waits for the one before',
    });
    lines.push(...otherKinds(folder), ...samplingLines(folder), await searchLine(small));
    return lines;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A 32-bit system, and a kernel dump in a zip against the same dump as it is. */
function otherKinds(folder: string): BenchLine[] {
  const narrow = join(folder, 'x86.dmp');
  const plain = join(folder, 'plain.dmp');
  const zipped = join(folder, 'plain.zip');
  buildDump(SCENARIOS.leak32()).writeTo(narrow);
  const built = buildDump({ ...SCENARIOS.modernLeak(), kind: 'bitmap-kernel' });
  built.writeTo(plain);
  writeFileSync(zipped, zipOf([{ name: 'MEMORY.DMP', bytes: built.toBytes() }]));
  const base = measure([STEPS, 'analyze', plain], 7);
  const line = (name: string, path: string, goal: number): BenchLine => {
    const cost = measure([STEPS, 'analyze', path], 7);
    const detail = `${cost.cpuMs.toFixed(0)} ms against ${base.cpuMs.toFixed(0)} ms of processor time`;
    return { name, ratio: cost.cpuMs / base.cpuMs, goal, detail };
  };
  return [
    line('analyze a 32-bit dump against an x64 one', narrow, 1.5),
    line('analyze a dump in a zip against as it is', zipped, 3),
  ];
}

/** What looking at the blocks of suspects costs: 64 GB with real pool blocks under the leaking tag, in both forms. */
function samplingLines(folder: string): BenchLine[] {
  const forms = [
    ['segment heap', { ...SCENARIOS.modernLeak() }],
    ['classic pages', { ...SCENARIOS.modernLeak(), kernel: '9600' }],
  ] as const;
  return forms.map(([form, scenario]) => {
    const path = join(folder, 'blocks.dmp');
    const poolBlocks = { tags: ['AcNb', 'AcNb', 'File', 'NtFs', 'Thre'], pages: 16_384, segments: 32 };
    const rows = scenario.pool?.rows ?? [];
    buildDump({
      ...scenario,
      kind: 'bitmap-full',
      memory: { bytes: 64 * GB },
      poolBlocks,
      pool: { ...scenario.pool, rows },
    }).writeTo(path);
    const without = measure([STEPS, 'no-blocks', path], 7);
    const cost = measure([STEPS, 'analyze', path], 7);
    rmSync(path);
    return {
      name: `analyze with a sample of blocks (${form}) against without, 64 GB`,
      ratio: cost.cpuMs / without.cpuMs,
      goal: 1.25,
      detail: `${cost.cpuMs.toFixed(0)} ms against ${without.cpuMs.toFixed(0)} ms of processor time`,
    };
  });
}

/** The same machine and leak with so many GB of RAM, every page of it in the dump. */
function write(path: string, gigabytes: number): void {
  buildDump({ ...SCENARIOS.modernLeak(), kind: 'bitmap-full', memory: { bytes: gigabytes * GB } }).writeTo(path);
}

/** The search through page tables against Buffer.indexOf over the same bytes, gathered before. */
async function searchLine(path: string): Promise<BenchLine> {
  const dump = await OpenedDump.open(path);
  try {
    const { modules } = readModules(dump.kernel);
    const parts: Uint8Array[] = [];
    for (const module of modules) {
      for (const chunk of module.memory?.chunks(module.base, module.sizeOfImage) ?? []) {
        if (!failed(chunk.bytes)) parts.push(chunk.bytes.slice());
      }
    }
    const bytes = Buffer.concat(parts);
    const key = 0x6b61654c;
    const tag = Buffer.from('Leak');
    const time = (work: () => void): number => {
      let best = Infinity;
      for (let i = 0; i < 15; i++) {
        const start = performance.now();
        work();
        best = Math.min(best, performance.now() - start);
      }
      return best;
    };
    const plain = time(() => {
      for (let at = bytes.indexOf(tag); at >= 0; at = bytes.indexOf(tag, at + 1));
    });
    const ours = time(() => {
      searchTags(modules, [key], { exact: true });
    });
    return {
      name: 'tag search, speed against Buffer.indexOf',
      ratio: plain / ours,
      goal: 0.25,
      atLeast: true,
      detail: `${ours.toFixed(1)} ms against ${plain.toFixed(1)} ms over ${(bytes.length / 2 ** 20).toFixed(1)} MB`,
    };
  } finally {
    dump.close();
  }
}
