/** What dumps come wrapped in: unpacked with a low limit, and what comes out opened as a dump. */

import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { fileOffset } from '../../../parsers/addresses.js';
import { InputError } from '../../../parsers/bytes/input-error.js';
import { listMembers, openFile } from '../../../parsers/bytes/containers/containers.js';
import { openDump } from '../../../parsers/dump/open-dump.js';
import { Prng } from '../../../test-dumps/prng.js';
import { sealSevenZip, sevenZipOf } from '../../../test-dumps/containers/seven-zip.js';
import { makeXz } from '../../../test-dumps/containers/xz.js';
import { zipOf } from '../../../test-dumps/containers/zip.js';
import { zstdOf } from '../../../test-dumps/containers/zstd.js';
import type { FuzzTarget } from '../target.js';

/** A limit that bombs meet soon. */
const MOST = 16 * 2 ** 20;
/** Bytes that inputs may leave behind in their folder: themselves. */
const OWN_FILE = 'input.bin';

/** Begins as a dump does; zeros, noise and text behind it. */
function dumpLike(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  const random = new Prng(seed);
  bytes.write('PAGEDU64');
  bytes.set(random.bytes(length >> 2), 0x2000);
  bytes.fill('All work and no play. ', length >> 1, (length >> 1) + 5000);
  return bytes;
}

const ONE = dumpLike(60_000, 1);
const TWO = dumpLike(40_000, 2);
const MANY = [
  { name: 'one.dmp', bytes: ONE },
  { name: 'folder/two.dmp', bytes: TWO, stored: true },
  { name: 'readme.txt', bytes: Buffer.from('nothing of interest') },
];
const halves = [ONE.subarray(0, 30_000), { byte: 0, count: 90_000 }, ONE.subarray(30_000)];
/** Made by xz itself: `PAGEDU64`, zeros and a text, really compressed. */
const PACKED = Buffer.from(
  '/Td6WFoAAAD/EtlBAgAhARwAAAAQz1jM4FX3AGVdACgQRQloveYXoDCBBu1Hpe1Gk5fzGNZA79NLqeDkdwk48vamApSK7eZs6mm/Q2kC2QYcptgAU0e+bOQkTn4aOp8IRsvszm1gST8+EB7yIEI+Fd9n6a+daGSfeMveNYm7JNrdsv0AAAAAAAABefirAQAAe2eUDKgACvwCAAAAAABZWg==',
  'base64',
);

/** Checksums do not hide the readers: none is compared, or they are made right again. */
export const CONTAINER_TARGETS: readonly FuzzTarget[] = [
  { name: 'gzip', seeds: [() => gzipSync(ONE), () => Buffer.concat([gzipSync(ONE), gzipSync(TWO)])] },
  { name: 'zip', seeds: [() => zipOf(MANY.slice(0, 1)), () => zipOf(MANY.slice(1, 2)), () => zipOf(MANY)] },
  { name: 'zstd', seeds: [() => zstdOf([ONE]), () => zstdOf(halves)] },
  { name: 'xz', seeds: [() => makeXz(ONE, { check: 'none' }), () => makeXz(TWO), () => PACKED] },
  { name: '7z', seeds: [() => sevenZipOf(MANY.slice(0, 1)), () => sevenZipOf(MANY)], seal: sealSevenZip },
].map((target) => ({ hot: 200, ...target, feed: feedContainer }));

/** Lists, unpacks with and without naming one, and reads what came out. */
async function feedContainer(input: Uint8Array, folder: string): Promise<void> {
  const path = join(folder, OWN_FILE);
  writeFileSync(path, input);
  const names = await refusable(() => listMembers(path));
  for (const member of [undefined, ...(names ?? []).slice(0, 3)]) {
    await refusable(async () => {
      const { source } = await openFile(path, { mostBytes: MOST, ...(member === undefined ? {} : { member }) });
      try {
        if (source.byteLength > MOST * 2) throw new Error(`${source.byteLength} bytes came out of a limit of ${MOST}`);
        const bytes = new Uint8Array(4096);
        for (let at = 0; at < source.byteLength; at += 50_000) source.read(fileOffset(at), bytes);
        openDump(source);
      } finally {
        source.close();
      }
    });
  }
  const left = readdirSync(folder).filter((name) => name !== OWN_FILE);
  if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
}

/** What `work` gives; undefined where it was properly refused. */
async function refusable<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}
