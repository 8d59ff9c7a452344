/**
 * Driver files: one tag searched and judged in 100 MB of images, against `Buffer.indexOf` over the same bytes; and all that
 * drivers allocate, in megabytes a second and against decoding each of their instructions once.
 */

import { failed } from '../../parsers/bytes/failure.js';
import { Operations } from '../../parsers/code/operations.js';
import { allocationsIn } from '../../src/code/calls/allocations.js';
import { machineOf } from '../../src/code/flow/machine.js';
import { driverFromFile } from '../../src/kernel/modules/driver-file.js';
import { judgeImage } from '../../src/leak/code/judge-image.js';
import { concat } from '../../test-dumps/bytes.js';
import { readFixtures, readLargeDrivers } from '../../test-dumps/drivers/fixtures.js';
import { withMoreCode } from '../../test-dumps/drivers/more-code.js';
import type { DriverFile } from '../../test-dumps/drivers/scenario.js';
import { ARCHITECTURES } from '../../test-dumps/drivers/source.js';
import type { BenchLine } from './measure.js';

const MB = 2 ** 20;
const TOTAL = 100 * MB;
/** What a driver of Windows has on average, in bytes of code. */
const CODE = 256 * 1024;
const RUNS = 15;

/**
 * The built drivers, over and over, each with code of the others behind its own, so that it has the size of a real one:
 * in most of what a driver does it allocates nothing. Only the first round holds the tag.
 */
function corpus(fixtures: readonly DriverFile[], tag: string): Buffer[] {
  const more = new Map(
    ARCHITECTURES.map((architecture) => {
      const some = concat(
        fixtures
          .filter(({ driver }) => driver.architecture === architecture && driver.tag !== tag)
          .map(({ file }) => codeOf(file)),
      );
      return [architecture, concat(Array.from({ length: Math.ceil(CODE / some.length) }, () => some))];
    }),
  );
  const files = fixtures.map(({ file }) => Buffer.from(file));
  const others = fixtures.filter(({ driver, file }) => driver.tag !== tag && !Buffer.from(file).includes(tag));
  let bytes = files.reduce((sum, file) => sum + file.length, 0);
  for (let i = 0; bytes < TOTAL; i++) {
    const next = others[i % others.length];
    if (next === undefined) throw new Error('every built driver holds the tag');
    const { driver, file } = next;
    // Each its own bytes, as files from disk are.
    const one = Buffer.from(withMoreCode(file, more.get(driver.architecture) ?? new Uint8Array(0)));
    files.push(one);
    bytes += one.length;
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

/** The least processor time of several runs, in milliseconds: the machine may have other things to do. */
function best(work: () => void, runs = RUNS): number {
  let least = Infinity;
  for (let i = 0; i < runs; i++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

/** Lists what drivers allocate, and decodes each of their instructions once. */
function listing(files: readonly Uint8Array[], runs: number): { ratio: number; detail: string } {
  let count = 0;
  const ours = best(() => {
    count = 0;
    for (const file of files) {
      const read = driverFromFile(file, 'driver.sys');
      if (!failed(read)) count += allocationsIn(read.module).allocations.length;
    }
  }, runs);
  const operations = new Operations();
  let decoded = 0;
  const plain = best(() => {
    decoded = 0;
    for (const file of files) {
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
  }, runs);
  const detail = `${ours.toFixed(0)} ms (${count} allocations) against ${plain.toFixed(0)} ms (${decoded} instructions), ${files.length} drivers`;
  return { ratio: ours / plain, detail };
}

/** How often the large drivers are listed. */
const LISTED = 20;
/** How often the built drivers are gone through, which are small and allocate in nearly every function. */
const ROUNDS = 20;

/** Megabytes of drivers that are listed in a second of processor time: the machine may have other things to do. */
function listingRate(files: readonly Uint8Array[], runs: number): { ratio: number; detail: string } {
  let [least, count] = [Infinity, 0];
  for (let run = 0; run < runs; run++) {
    const before = process.cpuUsage();
    count = 0;
    for (const file of files) {
      const read = driverFromFile(file, 'driver.sys');
      if (!failed(read)) count += allocationsIn(read.module).allocations.length;
    }
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1e6);
  }
  const megabytes = files.reduce((sum, file) => sum + file.length, 0) / MB;
  const detail = `${(least * 1000).toFixed(0)} ms of processor time (${count} allocations) for ${megabytes.toFixed(1)} MB in ${files.length} drivers`;
  return { ratio: megabytes / least, detail };
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
  const large = Array.from({ length: LISTED }, readLargeDrivers).flat();
  return Promise.resolve([
    {
      name: 'tags: search and judge, against Buffer.indexOf',
      ratio: ours / plain,
      goal: 5,
      detail: `${ours.toFixed(0)} ms (${traces} places) against ${plain.toFixed(0)} ms (${plainHits}) over ${(bytes / MB).toFixed(0)} MB in ${files.length} drivers`,
    },
    { name: 'tags --localtag: drivers of a real mix', goal: 12, atLeast: true, unit: 'MB/s', ...listingRate(large, 5) },
    { name: 'tags --localtag: the same, against decoding once', goal: 2, ...listing(large, 5) },
    {
      name: 'tags --localtag: the same, small drivers that do little but allocate',
      goal: 4,
      ...listing(Array.from({ length: ROUNDS }, () => fixtures.map(({ file }) => file)).flat(), RUNS),
    },
  ]);
}
