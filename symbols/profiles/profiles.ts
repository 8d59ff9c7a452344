/**
 * The built-in table of 213 real x64 kernels (7601 to 22000): the RVA of about a hundred data symbols, and structure layouts.
 *
 * On disk: `kernels.txt` has a line a kernel - PDB GUID+age, version, TimeDateStamp, SizeOfImage, capacity of ExPoolTagTables,
 * layout set. `rva-<build>.txt` has a line of symbols and then a line for each set of revisions with the same addresses.
 * Layouts are shared between kernels (`layout-table.ts`). Finding a kernel searches `kernels.txt` (16 KB); asking it for an
 * address reads one `rva-*.txt` (at most 22 KB); asking it for a layout reads the layout tables (87 KB). Nothing else is read.
 */

import { rva, virtual, type Rva, type VirtualAddress } from '../../parsers/addresses.js';
import type { StructLayout } from '../../parsers/kernel/layout.js';
import type { KernelIdentity, KernelProfile } from '../kernel-symbols.js';
import { findLine, readDataFile, readDataLines } from './data-files.js';
import { layoutInSet } from './layout-table.js';

/** Every x64 kernel with at most four paging levels has its symbols in a PDB of this name. */
const PDB_NAME = 'ntkrnlmp.pdb';

/** A line of `kernels.txt`. */
export interface KernelEntry {
  /** GUID in 32 hex digits and the age in hex, upper case. */
  readonly pdbKey: string;
  readonly version: string;
  readonly timeDateStamp: number | null;
  /** Bytes. */
  readonly sizeOfImage: number | null;
  readonly poolTagTablesCapacity: number | null;
  readonly layoutSet: string;
}

/** A profile and how it was found. */
export interface FoundProfile {
  readonly profile: KernelProfile;
  /** `true` for the PDB identity; `false` for a candidate that `agrees` has to confirm. */
  readonly exact: boolean;
  /** `PDB identity` or `image timestamp and size`. */
  readonly how: string;
}

const buildOf = (version: string): number => Number(version.split('.')[2]);

const numberOrNull = (word: string | undefined, radix: number): number | null =>
  word === undefined || word === '-' ? null : parseInt(word, radix);

function toEntry(words: readonly string[]): KernelEntry {
  return {
    pdbKey: words[0] ?? '',
    version: words[1] ?? '',
    timeDateStamp: numberOrNull(words[2], 16),
    sizeOfImage: numberOrNull(words[3], 16),
    poolTagTablesCapacity: numberOrNull(words[4], 10),
    layoutSet: words[5] ?? '',
  };
}

let entries: readonly KernelEntry[] | undefined;

/** Every kernel in the table, oldest version first. */
export function kernelEntries(): readonly KernelEntry[] {
  entries ??= readDataLines('kernels.txt')
    .filter((line) => line !== '')
    .map((line) => toEntry(line.split(' ')));
  return entries;
}

function readRvas(version: string): ReadonlyMap<string, Rva> {
  const [symbols = '', ...rows] = readDataLines(`rva-${buildOf(version)}.txt`);
  const revision = version.split('.')[3] ?? '';
  const row = rows.find((line) => line.slice(0, line.indexOf(' ')).split('+').includes(revision));
  const values = row?.split(' ') ?? [];
  const found = new Map<string, Rva>();
  symbols.split(' ').forEach((symbol, i) => {
    const value = numberOrNull(values[i + 1], 16);
    if (value !== null) found.set(symbol, rva(value));
  });
  return found;
}

function toProfile(entry: KernelEntry): KernelProfile {
  let rvas: ReadonlyMap<string, Rva> | undefined;
  return {
    version: entry.version,
    buildNumber: buildOf(entry.version),
    pdb: { name: PDB_NAME, guid: entry.pdbKey.slice(0, 32), age: parseInt(entry.pdbKey.slice(32), 16) },
    timeDateStamp: entry.timeDateStamp,
    sizeOfImage: entry.sizeOfImage,
    poolTagTablesCapacity: entry.poolTagTablesCapacity,
    rva(name: string): Rva | null {
      rvas ??= readRvas(entry.version);
      return rvas.get(name) ?? null;
    },
    layout(type: string): StructLayout | null {
      return layoutInSet(entry.layoutSet, type);
    },
  };
}

function findByPdb(pdb: { readonly name: string; readonly guid: string; readonly age: number }): KernelProfile | null {
  const file = pdb.name.split(/[\\/]/).at(-1)?.toLowerCase();
  const guid = pdb.guid.replace(/[{}-]/g, '').toUpperCase();
  if (file !== PDB_NAME || !/^[0-9A-F]{32}$/.test(guid)) return null;
  const words = findLine(readDataFile('kernels.txt'), guid + pdb.age.toString(16).toUpperCase());
  return words === null ? null : toProfile(toEntry(words));
}

function findByImage(timeDateStamp: number, sizeOfImage: number): FoundProfile | null {
  const entry = kernelEntries().find((e) => e.timeDateStamp === timeDateStamp && e.sizeOfImage === sizeOfImage);
  return entry === undefined ? null : { profile: toProfile(entry), exact: false, how: 'image timestamp and size' };
}

/**
 * The profile of exactly this kernel. A known PDB identity decides alone. Without one, TimeDateStamp and SizeOfImage name a
 * candidate (`exact` is false): accept it only when `agrees` finds known addresses in their places. The ids in
 * the table are those of ntoskrnl.exe: the kernel with five-level paging, ntkrla57.exe, is another image and matches none.
 */
export function findProfile(identity: KernelIdentity): FoundProfile | null {
  if (identity.pdb !== null) {
    const profile = findByPdb(identity.pdb);
    return profile === null ? null : { profile, exact: true, how: 'PDB identity' };
  }
  if (identity.timeDateStamp === null || identity.sizeOfImage === null) return null;
  return findByImage(identity.timeDateStamp, identity.sizeOfImage);
}

/**
 * Compares addresses that are known from elsewhere (the debugger block, the dump header) with the profile's own, for a kernel
 * loaded at `kernelBase`. Names that the profile does not have count neither way. Pass only addresses of the symbols themselves:
 * `KernBase`, `PteBase` and `MmPageSize` of the debugger block are values, and its `MmPagedPoolCommit` misleads from 9200 on.
 */
export function agrees(
  profile: KernelProfile,
  kernelBase: VirtualAddress,
  known: Readonly<Record<string, bigint>>,
): { readonly agree: number; readonly disagree: readonly string[] } {
  let agree = 0;
  const disagree: string[] = [];
  for (const [name, address] of Object.entries(known)) {
    const expected = profile.rva(name);
    if (expected === null) continue;
    if (virtual(address) === virtual(kernelBase + BigInt(expected))) agree++;
    else disagree.push(name);
  }
  return { agree, disagree };
}
