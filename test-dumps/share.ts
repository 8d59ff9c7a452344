/**
 * A share full of dumps for the tests of batches: small dumps of every kind, generation and processor, of a few machines,
 * some leaking, some packed, and a tenth of them damaged. The same seed gives the same files.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildDump, type DumpKind, type Scenario } from './build-dump.js';
import { Prng } from './prng.js';

interface Machine {
  folder: string;
  scenario: Scenario;
  kinds: readonly DumpKind[];
}

const NEW_KINDS = [
  'full', 'bitmap-full', 'bitmap-kernel', 'automatic', 'triage', 'rdmp-kernel', 'rdmp-kernel-user', 'rdmp-full',
] as const; // prettier-ignore
const OLD_KINDS = ['full', 'kernel', 'triage'] as const;

const FIRST: Machine = { folder: 'fs01', scenario: { kernel: '10.0.19041.804' }, kinds: NEW_KINDS };
const MACHINES: readonly Machine[] = [
  FIRST,
  { folder: 'fs02', scenario: { kernel: '10.0.20348.2400', processors: 4 }, kinds: NEW_KINDS },
  { folder: 'db01', scenario: { kernel: '10.0.17763.4644' }, kinds: NEW_KINDS },
  { folder: 'ws07', scenario: { kernel: '6.1.7601.24540' }, kinds: OLD_KINDS },
  { folder: 'ws08', scenario: { kernel: '6.3.9600.21620' }, kinds: ['automatic', 'bitmap-kernel', 'kernel'] },
  { folder: 'arm', scenario: { kernel: '10.0.22000.2538', architecture: 'arm64' }, kinds: ['bitmap-kernel', 'full'] },
  { folder: 'old', scenario: { kernel: '3790', architecture: 'x86' }, kinds: OLD_KINDS },
  { folder: 'none', scenario: { kernel: '10.0.19041.804', hideIdentity: 'unknown-all' }, kinds: ['bitmap-kernel'] },
];

const FIRST_TIME = Date.UTC(2026, 2, 2, 8, 0, 0);
const HOUR = 3_600_000;
const FILE_TIME_OF_1970 = 116_444_736_000_000_000n;

export interface ShareFile {
  /** Within the share, with `/`. */
  path: string;
  damaged: boolean;
}

/**
 * Writes `count` dumps to folders below `folder`, a folder a machine; the machines have `memory` bytes, so that a full
 * dump is as large.
 */
export function makeShare(folder: string, count: number, seed: number, memory = 64 * 2 ** 20): ShareFile[] {
  const random = new Prng(seed);
  return Array.from({ length: count }, (_, i): ShareFile => {
    const machine = MACHINES[i % MACHINES.length] ?? FIRST;
    const bytes = dumpOf(machine, i, memory, random.fork(`dump ${i}`));
    const damaged = i % 10 === 9;
    const packed = !damaged && i % 7 === 3;
    const path = `${machine.folder}/${String(i).padStart(3, '0')}${packed ? '.dmp.gz' : '.dmp'}`;
    mkdirSync(join(folder, machine.folder), { recursive: true });
    const content = damaged
      ? damage(bytes, i, random.fork(`damage ${i}`))
      : packed
        ? gzipSync(bytes, { level: 1 })
        : bytes;
    writeFileSync(join(folder, path), content);
    return { path, damaged };
  });
}

/** The dump that has the number `i` of all: its time, and how much leaks, go with the number. */
function dumpOf({ scenario, kinds }: Machine, i: number, bytes: number, random: Prng): Uint8Array {
  const leaks = i % 3 !== 1;
  const held = leaks ? 12_000_000 + i * 50_000 : 40_000;
  const time = FIRST_TIME + i * HOUR;
  return buildDump({
    processors: 2,
    memory: { bytes },
    modules: modules(),
    pool: {
      tableSize: 257,
      rows: [
        { tag: 'Leak', nonPaged: { allocs: Math.ceil(held / 1000) + 12, frees: 12, bytes: held } },
        { tag: 'File', nonPaged: { allocs: 900 + random.int(0, 99), frees: 100, bytes: 300_000 } },
        { tag: 'NtfF', paged: { allocs: 4000, frees: 3000 + random.int(0, 99), bytes: 900_000 } },
      ],
    },
    ...scenario,
    kind: kinds[Math.floor(i / MACHINES.length) % kinds.length] ?? 'full',
    header: {
      ...scenario.header,
      systemTime: BigInt(time) * 10_000n + FILE_TIME_OF_1970,
      upTime: BigInt(time - FIRST_TIME + 24 * HOUR) * 10_000n,
    },
  }).toBytes();
}

const modules = (): NonNullable<Scenario['modules']> => [
  ...['hal.dll', 'CI.dll', 'pci.sys', 'ndis.sys', 'fltmgr.sys'].map((name) => ({ name, size: 0x8000 })),
  { name: 'acmenet.sys', size: 0x9000, version: { fileVersion: '4.2.0.17', companyName: 'Example Devices' }, tags: [{ tag: 'Leak', style: 'alloc' as const }] },
]; // prettier-ignore

/** In turn: cut, filled with noise, overwritten at its beginning, empty. */
function damage(bytes: Uint8Array, i: number, random: Prng): Uint8Array {
  switch (Math.floor(i / 10) % 4) {
    case 0:
      return bytes.subarray(0, random.int(100, Math.floor(bytes.length / 2)));
    case 1: {
      const copy = bytes.slice();
      for (let n = 0; n < 2000; n++) copy[random.int(0, copy.length - 1)] = random.int(0, 255);
      return copy;
    }
    case 2: {
      const copy = bytes.slice();
      for (let at = 0; at < 64; at++) copy[at] = random.int(0, 255);
      return copy;
    }
    default:
      return new Uint8Array(0);
  }
}
