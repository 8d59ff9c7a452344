/**
 * Facts of 32-bit kernels: structures from kernels/x86/*.json, and invented addresses of those globals that the debugger
 * block names or that can be found without symbols. Nothing else is written, for no reader could know of it.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { KernelFacts, StructFacts } from '../kernel-facts.js';

/** The sources hold the JSON files; compiled code stands two folders lower and finds them there. */
function folder(): URL {
  const beside = new URL('../kernels/x86/', import.meta.url);
  return existsSync(beside) ? beside : new URL('../../../test-dumps/kernels/x86/', import.meta.url);
}

/** Versions that dumps can be built for, oldest first. */
export function x86Versions(): string[] {
  return readdirSync(folder())
    .map((name) => name.slice(0, -5))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

/** What decides which of a release's kernel files runs. */
export interface X86Variant {
  pae: boolean;
  multiprocessor: boolean;
}

const POINTERS = 64;
/** Where the first global stands, in the image. */
const FIRST_RVA = 0x9_3000;

const WORDS = `PoolTrackTable PoolTrackTableSize PoolTrackTableMask ExpNumberOfPagedPools MmNumberOfPagingFiles
MmLowestPhysicalPage MmHighestPhysicalPage MmNumberOfPhysicalPages MmMaximumNonPagedPoolInBytes MmTotalCommitLimit
MmTotalCommittedPages MmSharedCommit MmDriverCommit MmProcessCommit MmAvailablePages MmResidentAvailablePages
MmAllocatedNonPagedPool MmPeakCommitment MmTotalCommitLimitMaximum MmPagedPoolStart MmPagedPoolEnd`.split(/\s+/);
/** In the debugger block of every generation. */
const MODERN_WORDS = `PoolTrackTable PoolTrackTableSize PoolTrackTableMask`.split(' ');
const COMMON_WORDS = `PspCidTable KeTimeIncrement MmPfnDatabase MmSizeOfPagedPoolInBytes MmHighestUserAddress
MmSystemRangeStart MmUnloadedDrivers MmLastUnloadedDriver MmSpecialPoolTag CmNtCSDVersion MmPhysicalMemoryBlock
IopNumTriageDumpDataBlocks ObpRootDirectoryObject ObpTypeObjectType`.split(/\s+/);
const LISTS = `MmZeroedPageListHead MmFreePageListHead MmStandbyPageListHead MmModifiedPageListHead
MmModifiedNoWritePageListHead`.split(/\s+/);

/** Bytes of each global, in the order in which they stand. */
function globalSizes(
  build: number,
  variant: X86Variant,
  structs: Readonly<Record<string, StructFacts>>,
): [string, number][] {
  const size = (type: string): number => structs[type]?.size ?? 0x40;
  const old = build < 10240;
  const sizes: [string, number][] = [
    ['KdDebuggerDataBlock', 0x400],
    ['KdVersionBlock', 0x28],
    ['PsLoadedModuleList', 8],
    ['PsActiveProcessHead', 8],
    ['KeBugCheckCallbackListHead', 8],
    ['KiProcessorBlock', 32 * 4],
    ['KdPrintCircularBuffer', 0x100],
    ['IopTriageDumpDataBlocks', 0x100],
    ['MmVerifierData', size('_MM_DRIVER_VERIFIER_DATA')],
    ...[...COMMON_WORDS, ...(old ? WORDS : MODERN_WORDS)].map((name): [string, number] => [name, 4]),
  ];
  if (build >= 2600) sizes.push(['NtBuildLab', 0x40]);
  if (build < 9200) sizes.push(['MmPagedPoolCommit', 4]);
  if (old) {
    sizes.push(
      ...LISTS.map((name): [string, number] => [name, size('_MMPFNLIST')]),
      ['MmPagedPoolInfo', size('_MM_PAGED_POOL_INFO')],
      ['NonPagedPoolDescriptor', size('_POOL_DESCRIPTOR')],
      ['ExpPagedPoolDescriptor', 17 * 4],
      ['MmPagingFile', 16 * 4],
    );
  }
  if (!old) sizes.unshift(['MiState', size('_MI_SYSTEM_INFORMATION')], ['MiSystemPartition', size('_MI_PARTITION')]);
  if (hasProcessorTables(build, variant)) sizes.push(['ExPoolTagTables', POINTERS * 4]);
  return sizes;
}

/** Server 2003 SP2's multiprocessor kernels, and all from Vista on, count tags by processor. */
function hasProcessorTables(build: number, variant: X86Variant): boolean {
  return build >= 6000 || (build === 3790 && variant.multiprocessor);
}

const PDB_NAMES = { true: ['ntkrnlpa.pdb', 'ntkrpamp.pdb'], false: ['ntoskrnl.pdb', 'ntkrnlmp.pdb'] } as const;

/** The facts of `6.1.7601.17514`, or of the version that holds `7601` as a part. Throws when there is none. */
export function x86Facts(wanted: string, variant: X86Variant): KernelFacts {
  const versions = x86Versions();
  const version = versions.find((v) => v === wanted) ?? versions.find((v) => v.split('.').includes(wanted));
  if (version === undefined) throw new Error(`no 32-bit kernel ${wanted}; there are ${versions.join(', ')}`);
  const { build, structs } = JSON.parse(readFileSync(new URL(`${version}.json`, folder()), 'utf8')) as Pick<
    KernelFacts,
    'build' | 'structs'
  >;
  const rva: Record<string, number> = {};
  let at = FIRST_RVA;
  for (const [name, size] of globalSizes(build, variant, structs)) {
    rva[name] = at;
    at = Math.ceil((at + size) / 64) * 64;
  }
  const name = PDB_NAMES[variant.pae ? 'true' : 'false'][variant.multiprocessor ? 1 : 0];
  const digits = build.toString(16).padStart(4, '0').toUpperCase();
  return {
    version,
    build,
    pointerSize: 4,
    pdb: {
      name,
      guid: `8632${digits}0123456789ABCDEF${variant.pae ? 'A' : 'B'}${variant.multiprocessor ? 'C' : 'D'}765432`,
      age: 1,
    },
    timeDateStamp: 0x3d000000 + build * 0x1000,
    sizeOfImage: 0x25_1000,
    lastRva: at,
    tagTablesCapacity: POINTERS,
    rva,
    structs,
  };
}
