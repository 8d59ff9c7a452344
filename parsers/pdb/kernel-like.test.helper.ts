/**
 * A driver in C that declares kernel structures and globals, made with clang and lld-link: the compiler writes down the offsets of its
 * own fields, in an array of the image, beside the PDB that says the same in its own words.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SOURCE = `
typedef unsigned __int64 ULONG64; typedef unsigned long ULONG; typedef long LONG; typedef unsigned char UCHAR;
#ifdef _WIN64
typedef unsigned __int64 SIZE_T;
#else
typedef unsigned long SIZE_T;
#endif
struct _EPROCESS;
typedef struct _LIST_ENTRY { struct _LIST_ENTRY *Flink, *Blink; } LIST_ENTRY;
typedef struct _UNICODE_STRING { unsigned short Length, MaximumLength; unsigned short *Buffer; } UNICODE_STRING;
enum _POOL_TYPE { NonPagedPool, PagedPool, NonPagedPoolNx = 512 };
typedef struct _POOL_TRACKER_TABLE {
  LONG Key; SIZE_T NonPagedBytes, NonPagedAllocs, NonPagedFrees, PagedBytes, PagedAllocs, PagedFrees;
} POOL_TRACKER_TABLE;
typedef struct _POOL_TRACKER_BIG_PAGES {
  volatile ULONG64 Va; ULONG Key; ULONG Pattern : 8; ULONG PoolType : 12; ULONG SlushSize : 12;
  SIZE_T NumberOfBytes; struct _EPROCESS *ProcessBilled;
} POOL_TRACKER_BIG_PAGES;
typedef struct _MMPTE_HARDWARE {
  ULONG64 Valid : 1, Dirty1 : 1, Owner : 1, reserved : 9, PageFrameNumber : 36, Unused : 15, NoExecute : 1;
} MMPTE_HARDWARE;
typedef struct _MMPTE { union { ULONG64 Long; MMPTE_HARDWARE Hard; } u; } MMPTE;
typedef struct _MMPFN {
  union { LIST_ENTRY ListEntry; struct { union { SIZE_T Flink; const void *Event; } u1; MMPTE *PteAddress; }; };
  MMPTE OriginalPte;
  struct { unsigned short ReferenceCount; union { UCHAR PageLocation : 3; struct { UCHAR e1, e3; }; }; } u3;
} MMPFN;
typedef struct _MI_VISIBLE_STATE { LIST_ENTRY SessionWsList; SIZE_T CommitLimit[2]; UCHAR SystemVaType[3][5]; } MI_VISIBLE_STATE;
typedef struct _MI_POOL_STATE { SIZE_T MaximumNonPagedPoolThreshold; ULONG Failures[3][3]; void (*Callback)(void); } MI_POOL_STATE;
typedef struct _MI_SYSTEM_INFORMATION {
  MI_POOL_STATE Pools; MMPTE *Ptes[7]; LIST_ENTRY Heads[4]; enum _POOL_TYPE Type; enum _POOL_TYPE Types[2];
  MMPFN **Database; MI_POOL_STATE (*Table)[2]; double Ratio; __WCHAR_TYPE__ Letter; MI_VISIBLE_STATE Vs; UCHAR Tail[];
} MI_SYSTEM_INFORMATION;
struct _BIG { UCHAR Skip[0x9000]; struct { ULONG a; union { ULONG b; ULONG64 c; }; }; ULONG Last; };

POOL_TRACKER_TABLE *PoolTrackTable = (POOL_TRACKER_TABLE *)0x1000;
SIZE_T PoolTrackTableSize = 0x800;
POOL_TRACKER_TABLE *ExPoolTagTables[64] = { (POOL_TRACKER_TABLE *)1 };
ULONG AfterTagTables = 5;
static volatile ULONG ExpPoolFlags = 7;
MI_SYSTEM_INFORMATION MiState = { { 1 } };
POOL_TRACKER_BIG_PAGES Big; MMPFN Pfn; struct _BIG Bigger; UNICODE_STRING String;

#define O(type, field) __builtin_offsetof(struct type, field)
ULONG Marker[] = { 0x4c494b45, OFFSETS };
__attribute__((noinline)) static int LeakNonPaged(volatile int *where) { *where += 3; return *where * 5; }
int __fastcall FastCall(int a) { return a + ExpPoolFlags; }
int __stdcall DriverEntry(void *a, void *b) {
  volatile int x = (int)(SIZE_T)a; Big.Key = x; Pfn.u3.ReferenceCount = 1; Bigger.Last = 2; String.Length = Marker[x & 1];
  return LeakNonPaged(&x) + FastCall(x) + (int)PoolTrackTableSize + (int)(SIZE_T)PoolTrackTable + (int)(SIZE_T)ExPoolTagTables[x & 63]
    + AfterTagTables + (int)MiState.Pools.MaximumNonPagedPoolThreshold + NonPagedPoolNx;
}
int _fltused;
`;

/** Fields whose offsets the compiler writes down. */
export const FIELDS: readonly (readonly [string, string])[] = [
  ['_LIST_ENTRY', 'Flink Blink'],
  ['_UNICODE_STRING', 'Length MaximumLength Buffer'],
  ['_POOL_TRACKER_TABLE', 'Key NonPagedBytes NonPagedAllocs NonPagedFrees PagedBytes PagedAllocs PagedFrees'],
  ['_POOL_TRACKER_BIG_PAGES', 'Va Key NumberOfBytes ProcessBilled'],
  ['_MMPFN', 'ListEntry u1 PteAddress OriginalPte u3'],
  ['_MI_VISIBLE_STATE', 'SessionWsList CommitLimit SystemVaType'],
  ['_MI_POOL_STATE', 'MaximumNonPagedPoolThreshold Failures Callback'],
  ['_MI_SYSTEM_INFORMATION', 'Pools Ptes Heads Type Types Database Table Ratio Letter Vs Tail'],
  ['_BIG', 'Skip a b c Last'],
].flatMap(([type = '', fields = '']) => fields.split(' ').map((field): [string, string] => [type, field]));

/** A driver that was built. */
export interface KernelLike {
  readonly image: Buffer;
  readonly pdb: Buffer;
  /** Where the PDB is, for other tools. */
  readonly pdbPath: string;
  remove(): void;
}

/** Compiles and links for `i686`, `x86_64` or `aarch64`. Throws with what the tools said. */
export function buildKernelLike(clang: string, link: string, processor: string): KernelLike {
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-test-'));
  const run = (tool: string, ...args: string[]): void => {
    const { status, stderr, stdout } = spawnSync(tool, args, { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${tool} ${args.join(' ')}: ${stdout}${stderr}`);
  };
  const offsets = FIELDS.map(([type, field]) => `O(${type}, ${field})`).join(', ');
  writeFileSync(join(folder, 't.c'), SOURCE.replace('OFFSETS', offsets));
  run(clang, `--target=${processor}-pc-windows-msvc`, '-O1', '-g', '-gcodeview', '-w', '-c', 't.c', '-o', 't.obj');
  const safeSeh = processor === 'i686' ? ['/safeseh:no'] : [];
  const entry = processor === 'i686' ? 'DriverEntry@8' : 'DriverEntry';
  run(
    link,
    ...['/subsystem:native', '/driver', `/entry:${entry}`, '/nodefaultlib', '/debug:full', '/opt:noref'],
    ...[...safeSeh, '/pdb:t.pdb', '/out:t.sys', 't.obj'],
  );
  return {
    image: readFileSync(join(folder, 't.sys')),
    pdb: readFileSync(join(folder, 't.pdb')),
    pdbPath: join(folder, 't.pdb'),
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The bytes of an image from an RVA on, by its section headers. */
export function bytesAtRva(image: Buffer, rva: number): Buffer {
  const pe = image.readUInt32LE(0x3c);
  const sections = pe + 24 + image.readUInt16LE(pe + 20);
  for (let i = 0; i < image.readUInt16LE(pe + 6); i++) {
    const header = sections + i * 40;
    const start = image.readUInt32LE(header + 12);
    const rawSize = image.readUInt32LE(header + 16);
    if (rva >= start && rva < start + rawSize) return image.subarray(image.readUInt32LE(header + 20) + rva - start);
  }
  throw new Error(`no section holds ${rva.toString(16)}`);
}
