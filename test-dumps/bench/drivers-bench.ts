/**
 * Driver files: one tag searched and judged in 100 MB of images, against `Buffer.indexOf` over the same bytes; and all that
 * drivers allocate, against decoding each of their instructions once.
 */

import { failed } from '../../parsers/bytes/failure.js';
import { Operations } from '../../parsers/code/operations.js';
import { allocationsIn } from '../../src/kernel/code/allocations.js';
import { machineOf } from '../../src/kernel/code/machine.js';
import { driverFromFile } from '../../src/kernel/driver-file.js';
import { judgeImage } from '../../src/leak/judge-image.js';
import { concat } from '../bytes.js';
import { readFixtures } from '../drivers/fixtures.js';
import { peFile } from '../drivers/pe-file.js';
import type { DriverFile } from '../drivers/scenario.js';
import { ARCHITECTURES } from '../drivers/source.js';
import type { BenchLine } from './measure.js';

const MB = 2 ** 20;
const TOTAL = 100 * MB;
/** What a driver of Windows has on average, in bytes of code. */
const CODE = 256 * 1024;
const RUNS = 15;

/** Drivers of a real size from the code of the built ones, all but those that hold the tag, and the built ones as they are. */
function corpus(fixtures: readonly DriverFile[], tag: string): Buffer[] {
  const files = fixtures.map(({ file }) => Buffer.from(file));
  const large = ARCHITECTURES.map((architecture) => {
    const code = fixtures
      .filter(({ driver }) => driver.architecture === architecture && driver.tag !== tag)
      .map(({ file }) => codeOf(file));
    const some = concat(code);
    const text = concat(Array.from({ length: Math.ceil(CODE / some.length) }, () => some));
    const data = concat(
      fixtures.map(({ file }) => file.subarray(0x400)).filter((part) => !Buffer.from(part).includes(tag)),
    );
    const sections = [
      { name: '.text', bytes: text, executable: true },
      { name: '.rdata', bytes: data },
    ];
    return Buffer.from(peFile({ architecture, sections }));
  });
  let bytes = files.reduce((sum, file) => sum + file.length, 0);
  for (let i = 0; bytes < TOTAL; i++) {
    // Each its own bytes, as files from disk are.
    const copy = Buffer.from(large[i % large.length] ?? Buffer.alloc(0));
    files.push(copy);
    bytes += copy.length;
  }
  return files;
}

/** The bytes of `.text`. */
function codeOf(file: Uint8Array): Uint8Array {
  const read = driverFromFile(file, 'fixture.sys');
  const text = failed(read) ? undefined : read.module.headers?.sections.find(({ name }) => name === '.text');
  if (text === undefined) throw new Error('a built driver has no code');
  return file.subarray(text.fileOffset, text.fileOffset + text.size);
}

function best(work: () => void): number {
  let least = Infinity;
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now();
    work();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

/** How often the built drivers are gone through. */
const ROUNDS = 20;

/** The built drivers, which are small and allocate in nearly every function: more work a byte than drivers of Windows. */
function listing(fixtures: readonly DriverFile[]): BenchLine {
  let count = 0;
  const ours = best(() => {
    count = 0;
    for (let round = 0; round < ROUNDS; round++) {
      for (const { file } of fixtures) {
        const read = driverFromFile(file, 'driver.sys');
        if (!failed(read)) count += allocationsIn(read.module).allocations.length;
      }
    }
  });
  const operations = new Operations();
  let decoded = 0;
  const plain = best(() => {
    decoded = 0;
    for (let round = 0; round < ROUNDS; round++) {
      for (const { file } of fixtures) {
        const read = driverFromFile(file, 'driver.sys');
        const headers = failed(read) ? null : read.module.headers;
        for (const { executable, rva, fileOffset, size } of headers?.sections ?? []) {
          if (!executable) continue;
          operations.clear();
          const code = file.subarray(fileOffset, fileOffset + size);
          machineOf(headers?.machine ?? 0)?.decoder.decode(code, rva, 0, operations, Infinity);
          decoded += operations.count;
        }
      }
    }
  });
  return {
    name: 'tags --localtag: list all, against decoding once',
    ratio: ours / plain,
    goal: 2,
    detail: `${ours.toFixed(0)} ms (${count / ROUNDS} allocations) against ${plain.toFixed(0)} ms (${decoded / ROUNDS} instructions), ${ROUNDS} times ${fixtures.length} drivers`,
  };
}

/** Both figures are the best of several runs in this process; files are in memory. */
export async function driversBench(): Promise<BenchLine[]> {
  const fixtures = readFixtures();
  const tag = fixtures.find(({ driver }) => driver.shape === 'immediate')?.driver.tag ?? '';
  const files = corpus(fixtures, tag);
  const pattern = Buffer.from(tag, 'latin1');
  const key = pattern.readUInt32LE();
  let plainHits = 0;
  const plain = best(() => {
    plainHits = 0;
    for (const file of files) {
      for (let at = file.indexOf(pattern); at >= 0; at = file.indexOf(pattern, at + 1)) plainHits++;
    }
  });
  let traces = 0;
  const ours = best(() => {
    traces = 0;
    for (const file of files) {
      const read = driverFromFile(file, 'driver.sys');
      if (!failed(read)) traces += judgeImage(read.module, [key]).traces.get(key)?.length ?? 0;
    }
  });
  const bytes = files.reduce((sum, file) => sum + file.length, 0);
  return Promise.resolve([
    {
      name: 'tags: search and judge, against Buffer.indexOf',
      ratio: ours / plain,
      goal: 5,
      detail: `${ours.toFixed(0)} ms (${traces} places) against ${plain.toFixed(0)} ms (${plainHits}) over ${(bytes / MB).toFixed(0)} MB in ${files.length} drivers`,
    },
    listing(fixtures),
  ]);
}
