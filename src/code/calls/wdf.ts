/**
 * Calls of the kernel-mode driver framework (KMDF): drivers call it through a table of functions that the loader fills in.
 * Where the table is, stands in the bind information, WDF_BIND_INFO, beside the name of the library. Layout and indexes
 * are those of the framework's published source; indexes are the same in all versions 1.x.
 */

import { plus } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { u32 } from '../../../parsers/bytes/fields.js';
import type { ImageHeaders } from '../../../parsers/pe/image.js';
import type { Allocator } from './allocators.js';
import type { CodeModule } from '../image/code-module.js';

/** Where a driver finds the framework's functions. */
export interface FrameworkTable {
  /** RVA of the table itself, or of the variable that leads to it. */
  readonly rva: number;
  /** `pointer`: the variable holds the table's address (from version 1.11 on). `table`: the functions stand there. */
  readonly kind: 'pointer' | 'table';
  /** Functions that the driver was built for. */
  readonly count: number;
}

const LIBRARY = Buffer.from('KmdfLibrary\0', 'utf16le');
/** WDF_BIND_INFO: Size, Component, Version (Major, Minor, Build), FuncCount, FuncTable, Module. */
const LAYOUT = {
  4: { size: 0x20, component: 4, major: 8, count: 0x14, table: 0x18 },
  8: { size: 0x30, component: 8, major: 0x10, count: 0x1c, table: 0x20 },
} as const;
/** Before this minor version the loader copies the table; from it on it gives a pointer. */
const FIRST_WITH_POINTER = 11;
const FEWEST_FUNCTIONS = 300;
const MOST_FUNCTIONS = 2_000;
/** Sections that are looked through have no more bytes. */
const LARGEST_SECTION = 1 << 24;

/** By index in the table: the functions that take a pool tag. The first argument of each is the driver's globals. */
export const FRAMEWORK_ALLOCATORS: ReadonlyMap<number, Allocator> = new Map([
  [
    116,
    {
      ...{ name: 'WdfDriverCreate', kind: 'allocate', tag: 4, arguments: 6 },
      structure: { field: 'WDF_DRIVER_CONFIG.DriverPoolTag', offset32: 0x10, offset64: 0x1c },
    },
  ],
  [192, { name: 'WdfMemoryCreate', kind: 'allocate', tag: 3, arguments: 7 }],
  [198, { name: 'WdfLookasideListCreate', kind: 'lookaside', tag: 5, arguments: 7 }],
]);

/** The function that gives an object's context: its arguments are the globals, the object, and the type of the context. */
export const GET_TYPED_CONTEXT = { index: 202, name: 'WdfObjectGetTypedContextWorker', type: 2 } as const;

/** What was looked for, and whether all pages of data were there that it may stand in. */
export interface FrameworkSearch {
  /** Null where none was found. */
  readonly table: FrameworkTable | null;
  readonly complete: boolean;
}

/** The table of an image. */
export function findFrameworkTable(module: CodeModule, headers: ImageHeaders): FrameworkSearch {
  const { sizeOfImage } = module;
  const data = headers.sections.filter(({ executable, size }) => !executable && size > 0 && size <= LARGEST_SECTION);
  const pages = data.map(({ rva, size, discardable }) => ({
    ...{ rva, discardable, ...bytesOf(module, rva, Math.min(size, sizeOfImage - rva)) },
  }));
  return {
    table: module.memory === null ? null : tableIn(module, pages),
    complete: pages.every(({ isWhole, discardable }) => isWhole || discardable),
  };
}

function tableIn(
  { base, sizeOfImage, memory }: CodeModule,
  pages: readonly { readonly rva: number; readonly bytes: Buffer }[],
): FrameworkTable | null {
  const width = memory?.pointerSize ?? 8;
  const names = pages.flatMap(({ rva, bytes }) => offsetsOf(bytes, LIBRARY).map((at) => rva + at));
  const layout = LAYOUT[width];
  for (const name of names) {
    const pointer = Buffer.alloc(8);
    pointer.writeBigUInt64LE(BigInt.asUintN(width * 8, plus(base, name)));
    for (const { bytes } of pages) {
      for (const at of offsetsOf(bytes, pointer.subarray(0, width))) {
        const start = at - layout.component;
        if (start < 0 || start + layout.size > bytes.length || u32(bytes, start) !== layout.size) continue;
        const [major, minor] = [u32(bytes, start + layout.major), u32(bytes, start + layout.major + 4)];
        const count = u32(bytes, start + layout.count);
        const field = bytes.subarray(start + layout.table, start + layout.table + width);
        const table = width === 8 ? Buffer.from(field).readBigUInt64LE() : BigInt(u32(field, 0));
        const rva = Number(BigInt.asIntN(64, table - BigInt.asUintN(width * 8, base)));
        const kind = minor < FIRST_WITH_POINTER ? 'table' : 'pointer';
        const room = kind === 'table' ? count * width : width;
        if (major !== 1 || minor > 99 || count < FEWEST_FUNCTIONS || count > MOST_FUNCTIONS) continue;
        if (rva > 0 && rva + room <= sizeOfImage) return { rva, kind, count };
      }
    }
  }
  return null;
}

/** Bytes from an RVA on; what is missing reads as zeros. */
function bytesOf({ memory, base }: CodeModule, rva: number, size: number): { bytes: Buffer; isWhole: boolean } {
  const bytes = Buffer.alloc(Math.max(0, size));
  let isWhole = true;
  for (const chunk of memory?.chunks(plus(base, rva), bytes.length) ?? []) {
    if (failed(chunk.bytes)) isWhole = false;
    else bytes.set(chunk.bytes, chunk.offset);
  }
  return { bytes, isWhole };
}

function offsetsOf(bytes: Buffer, wanted: Buffer): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) found.push(at);
  return found;
}
