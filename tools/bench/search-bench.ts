/**
 * The search for tags in modules of a real size: 220 of them with 130 MB of pages, the kernel in large pages, drivers in
 * runs of up to 16. Against reading the same part of the file in order and looking for the same bytes: what nobody can
 * do without.
 */

import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PAGE_SIZE, pfn, plus, type VirtualAddress } from '../../parsers/addresses.js';
import { failed } from '../../parsers/bytes/failure.js';
import { FileSource } from '../../parsers/bytes/file-source.js';
import { CountingSource } from '../../parsers/bytes/source.js';
import { ABSENT } from '../../parsers/dump/page-index.js';
import { readModules, type LoadedModule } from '../../src/kernel/modules/modules.js';
import { searchTags } from '../../src/kernel/modules/tag-search.js';
import { OpenedDump } from '../../src/kernel/open/opened-dump.js';
import { buildDump } from '../../test-dumps/build-dump.js';
import { Prng } from '../../test-dumps/prng.js';
import { SCENARIOS } from '../../test-dumps/scenarios.js';
import type { ModuleSpec, Scenario } from '../../test-dumps/scenario.js';
import type { BenchLine } from './measure.js';

const MB = 2 ** 20;
const MODULES = 220;
/** Pages of a driver side by side, at most. */
const RUN = 16;
const BLOCK = MB;
const RUNS = 9;

/** A leak on a machine with as many drivers as real ones have. */
export function realSize(): Scenario {
  const scenario = SCENARIOS.modernLeak();
  const random = new Prng(220);
  const known = scenario.modules ?? [];
  const more = Array.from({ length: MODULES - 1 - known.length }, (_, i): ModuleSpec => {
    // Most are small, some large.
    const share = random.float() ** 3;
    return { name: `driver${i}.sys`, size: 0x8000 + Math.floor(share * 2.7 * MB), allPages: 'valid' };
  });
  return {
    ...scenario,
    kind: 'bitmap-kernel',
    modules: [...known.map((spec) => ({ ...spec, allPages: 'valid' as const })), ...more],
    paging: { ...scenario.paging, modulePages: RUN },
  };
}

/** The blocks of the file, of 1 MB each, that hold a page of a module: in order. */
function blocksOf(modules: readonly LoadedModule[], offsetOf: (address: VirtualAddress) => number | null): number[] {
  const blocks = new Set<number>();
  for (const { base, sizeOfImage } of modules) {
    for (let at = 0; at < sizeOfImage; at += PAGE_SIZE) {
      const offset = offsetOf(plus(base, at));
      if (offset !== null) blocks.add(Math.floor(offset / BLOCK));
    }
  }
  return [...blocks].sort((a, b) => a - b);
}

/** The least processor time of several runs, in milliseconds: the machine may have other things to do. */
function least(work: () => void): number {
  let best = Infinity;
  for (let run = 0; run < RUNS; run++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

/** One tag, and the tags of a whole analysis. */
export function searchBench(): Promise<BenchLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-bench-'));
  const path = join(folder, 'real.dmp');
  try {
    buildDump(realSize()).writeTo(path);
    const source = new CountingSource(new FileSource(path));
    const given = { source, fileBytes: source.byteLength, container: null, damage: null };
    const dump = OpenedDump.over(path, given);
    const file = openSync(path, 'r');
    try {
      const { modules } = readModules(dump.kernel);
      const pages = modules.reduce((sum, { pagesPresent }) => sum + (pagesPresent ?? 0), 0);
      const blocks = blocksOf(modules, (address) => {
        const place = dump.kernel.memory?.translate(address) ?? null;
        const offset =
          place === null || failed(place) ? ABSENT : dump.dump.pages?.offsetOf(pfn(Math.floor(place / PAGE_SIZE)));
        return offset === undefined || offset === ABSENT ? null : offset;
      });
      const tags = ['AcNb', 'Leak', 'MmSt', 'CM31', 'File', 'Ntfx', 'FMfn', 'Toke'].map((tag) => Buffer.from(tag));
      const buffer = Buffer.alloc(BLOCK);
      const read = (patterns: readonly Buffer[]) => (): void => {
        for (const block of blocks) {
          const length = readSync(file, buffer, 0, BLOCK, block * BLOCK);
          const bytes = buffer.subarray(0, length);
          for (const pattern of patterns)
            for (let at = bytes.indexOf(pattern); at >= 0; at = bytes.indexOf(pattern, at + 1));
        }
      };
      const times = [1, tags.length].map((count): BenchLine => {
        const some = tags.slice(0, count);
        const keys = some.map((tag) => tag.readUInt32LE());
        let hits = 0;
        const ours = least(() => {
          hits = [...searchTags(modules, keys).hits.values()].flat().length;
        });
        const plain = least(read(some));
        const what = count === 1 ? 'a tag' : `${count} tags`;
        return {
          name: `${what} in modules of a real size, against reading them`,
          ratio: ours / plain,
          goal: 2.5,
          detail: `${ours.toFixed(0)} ms (${hits} places) against ${plain.toFixed(0)} ms of processor time: ${modules.length} modules, ${((pages * PAGE_SIZE) / MB).toFixed(0)} MB in ${blocks.length} blocks of 1 MB`,
        };
      });
      const before = source.reads;
      searchTags(modules, [0x7a7a7a5a]);
      const reads = source.reads - before;
      return Promise.resolve([
        ...times,
        {
          name: 'reads of that search, of one for each megabyte',
          ratio: reads / blocks.length,
          goal: 1.5,
          detail: `${reads} reads, in the order of the file`,
        },
      ]);
    } finally {
      closeSync(file);
      dump.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
