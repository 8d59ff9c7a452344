/** Small images for tests of code evidence: code as hexadecimal bytes, an import table, data, an exception table. */

import { virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { Failure } from '../../../parsers/bytes/failure.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import type { ImageHeaders } from '../../../parsers/pe/image.js';
import type { LoadedModule } from '../../kernel/modules/modules.js';

export const TEXT = 0x1000;
export const IAT = 0x3000;
export const DATA = 0x4000;
const TABLE = 0x5000;
const NAMES = 0x5800;
const PDATA = 0x6000;
const SIZE = 0x7000;
const PAGE = 0x1000;

export type Processor = 'x86' | 'x64' | 'arm64';

export interface CodeImage {
  processor?: Processor;
  /** Bytes by RVA: hexadecimal text, or 32-bit words. */
  at: Readonly<Record<number, string | readonly number[]>>;
  /** Import names by number of the slot. Default: `IMPORTS`. */
  imports?: readonly string[];
  /** No names are there: the slots hold addresses from 0xfffff80100000000 (x86: 0x80000000) on, 0x100 apart. */
  resolved?: boolean;
  /** Functions of the exception table: first RVA, and the one behind. */
  functions?: readonly (readonly [number, number])[];
  /** Parts of functions, with the number of the function in `functions` that each is chained to. ARM64: without a prologue. */
  parts?: readonly (readonly [number, number, number])[];
  /** RVA of the load configuration directory. */
  loadConfig?: number;
  /** RVA of the first function; 0 for none. */
  entryPoint?: number;
  /** Pages that are not there. */
  missing?: readonly number[];
}

export const IMPORTS = ['ExAllocatePoolWithTag', 'ExFreePoolWithTag', 'DbgPrint', 'ExAllocatePool2'] as const;
const MACHINES = { x86: 0x14c, x64: 0x8664, arm64: 0xaa64 } as const;
const BASES = { x86: 0x81000000n, x64: 0xfffff80000010000n, arm64: 0xfffff80000010000n } as const;
export const KERNEL = { x86: 0x80000000n, x64: 0xfffff80100000000n, arm64: 0xfffff80100000000n } as const;

export function baseOf(processor: Processor): VirtualAddress {
  return virtual(BASES[processor]);
}

/** RVA of the slot of an import, by its number. */
export function slot(processor: Processor, number: number): number {
  return IAT + number * (processor === 'x86' ? 4 : 8);
}

export function codeModule(image: CodeImage): LoadedModule {
  const processor = image.processor ?? 'x64';
  const bytes = new Uint8Array(SIZE);
  bytes.fill(0xcc, TEXT, IAT);
  const view = new DataView(bytes.buffer);
  writeImports(image, processor, bytes, view);
  const functions = (image.functions ?? []).map(([start, end]) => ({ start, end, of: -1 }));
  const parts = (image.parts ?? []).map(([start, end, of]) => ({ start, end, of }));
  const entries = [...functions, ...parts].sort((a, b) => a.start - b.start);
  entries.forEach(({ start, end, of }, i) => {
    if (processor === 'arm64') {
      view.setUint32(PDATA + i * 8, start, true);
      view.setUint32(PDATA + i * 8 + 4, (of < 0 ? 1 : 2) | ((end - start) << 0), true);
      return;
    }
    const unwind = PDATA + 0x800 + (of < 0 ? 0 : 0x20 * (i + 1));
    [start, end, unwind].forEach((value, n) => {
      view.setUint32(PDATA + i * 12 + n * 4, value, true);
    });
    const first = functions[of];
    if (first === undefined) return;
    // UNW_FLAG_CHAININFO, two unwind codes.
    view.setUint32(unwind, 0x0002_0021, true);
    view.setUint32(unwind + 8, first.start, true);
    view.setUint32(unwind + 12, first.end, true);
  });
  for (const [rva, content] of Object.entries(image.at)) {
    if (typeof content === 'string') bytes.set(Buffer.from(content.replaceAll(' ', ''), 'hex'), Number(rva));
    else
      content.forEach((word, i) => {
        view.setUint32(Number(rva) + i * 4, word >>> 0, true);
      });
  }
  const base = baseOf(processor);
  return {
    ...{ name: 'test.sys', moduleName: 'test', path: null, base, sizeOfImage: SIZE, timeDateStamp: null },
    ...{ checkSum: null, codeView: null, version: null, pagesPresent: SIZE / PAGE, pagesTotal: SIZE / PAGE },
    headers: {
      ...headersOf(processor, (image.functions?.length ?? 0) + (image.parts?.length ?? 0), image.loadConfig ?? 0),
      entryPoint: image.entryPoint ?? 0,
    },
    memory: memoryOf(bytes, base, processor === 'x86' ? 4 : 8, image.missing ?? []),
  };
}

function writeImports(image: CodeImage, processor: Processor, bytes: Uint8Array, view: DataView): void {
  const width = processor === 'x86' ? 4 : 8;
  const names = image.imports ?? IMPORTS;
  [TABLE + 0x40, 0, 0, NAMES + 0x700, IAT].forEach((value, i) => {
    view.setUint32(TABLE + i * 4, image.resolved === true ? 0 : value, true);
  });
  names.forEach((name, i) => {
    const at = NAMES + i * 64;
    bytes.set(Buffer.from(`\0\0${name}\0`), at);
    if (image.resolved === true) {
      const address = KERNEL[processor] + BigInt(i * 0x100);
      if (width === 8) view.setBigUint64(IAT + i * 8, address, true);
      else view.setUint32(IAT + i * 4, Number(address), true);
      return;
    }
    view.setUint32(TABLE + 0x40 + i * width, at, true);
    view.setUint32(IAT + i * width, at, true);
  });
}

function headersOf(processor: Processor, functions: number, loadConfig: number): ImageHeaders {
  const directories = Array.from({ length: 16 }, () => ({ rva: 0, size: 0 }));
  directories[1] = { rva: TABLE, size: 40 };
  directories[10] = { rva: loadConfig, size: 0x94 };
  directories[12] = { rva: IAT, size: 0x100 };
  if (functions > 0) directories[3] = { rva: PDATA, size: functions * (processor === 'arm64' ? 8 : 12) };
  const section = (name: string, rva: number, size: number, executable: boolean): ImageHeaders['sections'][number] => ({
    ...{ name, rva, size, executable, discardable: false, fileOffset: rva, fileSize: size },
  });
  return {
    ...{
      machine: MACHINES[processor],
      characteristics: 0x22,
      subsystem: 1,
      timeDateStamp: 0,
      sizeOfImage: SIZE,
      checkSum: 0,
      directories,
    },
    ...{ imageBase: 0n, entryPoint: 0, sectionAlignment: PAGE, sizeOfHeaders: PAGE },
    sections: [
      section('.text', TEXT, 0x2000, true),
      section('.rdata', IAT, 0x1000, false),
      section('.data', DATA, 0x1000, false),
      section('.idata', TABLE, 0x2000, false),
    ],
  };
}

function memoryOf(bytes: Uint8Array, base: bigint, pointerSize: 4 | 8, missing: readonly number[]): VirtualMemory {
  const gone = (at: number): boolean => at < 0 || at >= SIZE || missing.includes(Math.floor(at / PAGE));
  const read = (address: bigint, length: number): Uint8Array | Failure => {
    const at = Number(address - base);
    for (let n = at; n < at + length; n = (Math.floor(n / PAGE) + 1) * PAGE) {
      if (gone(n)) return new Failure('not-in-dump', 'gone');
    }
    return at < 0 || at + length > SIZE ? new Failure('not-in-dump', 'gone') : bytes.subarray(at, at + length);
  };
  const number = (address: bigint, width: 4 | 8): bigint | Failure => {
    const found = read(address, width);
    if (found instanceof Failure) return found;
    return width === 8 ? Buffer.from(found).readBigUInt64LE(0) : BigInt(Buffer.from(found).readUInt32LE(0));
  };
  return {
    pointerSize,
    read,
    readU32: (address: bigint) => {
      const found = number(address, 4);
      return found instanceof Failure ? found : Number(found);
    },
    readPointer: (address: bigint) => number(address, pointerSize),
    *chunks(address: bigint, length: number) {
      for (let done = 0; done < length;) {
        const size = Math.min(length - done, PAGE - ((Number(address - base) + done) % PAGE));
        yield { offset: done, length: size, bytes: read(address + BigInt(done), size) };
        done += size;
      }
    },
  } as unknown as VirtualMemory;
}
