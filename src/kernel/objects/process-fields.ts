/** Reads an `_EPROCESS` by a layout that may be right or wrong: every field checked for what it can hold. */

import { physical, plus, virtual, type PhysicalAddress, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, type Failure } from '../../../parsers/bytes/failure.js';
import { u32, u64 } from '../../../parsers/bytes/fields.js';
import type { StructLayout } from '../../../parsers/kernel/layout.js';
import { readUnicodeString } from '../../../parsers/kernel/structures.js';
import { inKernel, type ObjectRoots } from './roots.js';

/** Bytes of pool that a process is charged for, now and at most. */
export interface ProcessQuota {
  readonly pagedBytes: number;
  readonly nonPagedBytes: number;
  readonly pagedPeakBytes: number;
  readonly nonPagedPeakBytes: number;
}

/** One `_EPROCESS`, as read. Null where the layout lacks the field or it holds what cannot be. */
export interface ProcessFields {
  readonly address: VirtualAddress;
  readonly pid: number;
  readonly parentPid: number | null;
  /** The name of its image. `ImageFileName` ends after 14 or 15 characters; what follows is taken from the path, where that can be read. */
  readonly image: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number | null;
  /** Milliseconds since 1970; null while the process runs. */
  readonly exitedAt: number | null;
  /** It has ended and is still there. */
  readonly ended: boolean;
  readonly threads: number | null;
  readonly objectTable: VirtualAddress | null;
  readonly token: VirtualAddress | null;
  /** `_EPROCESS.Session`; null for processes outside of any session. */
  readonly session: VirtualAddress | null;
  readonly directoryTableBase: PhysicalAddress | null;
  readonly quota: ProcessQuota | null;
  readonly commitBytes: number | null;
  /** Of the `OBJECT_NAME_INFORMATION` with the image's path. */
  readonly imagePath: VirtualAddress | null;
  /** Fields that hold what they cannot hold in a process. */
  readonly doubts: readonly string[];
  /** It is in the list of processes. Set by who found it, as is the next. */
  listed: boolean;
  /** It is in the table of ids; null where that table could not be read. */
  inIdTable: boolean | null;
}

/** Type of a process in `_DISPATCHER_HEADER`. */
export const DISPATCHER_PROCESS = 3;
const PAGE_BYTES = 4096;
const LONGEST_IMAGE = 15;
/** A name of so many characters may be the beginning of a longer one. */
const CUT_IMAGE = 14;
const MOST_PID = 0x7fffffff;
/** 1990 and 2100 as FILETIMEs. */
const EARLIEST = 122_000_000_000_000_000;
const LATEST = 157_800_000_000_000_000;
const FILETIME_OF_1970 = 11_644_473_600_000;

/** The text of the UNICODE_STRING at an address; null where there is none. */
export function readString(roots: Pick<ObjectRoots, 'memory'>, address: VirtualAddress): string | null {
  const { memory } = roots;
  const bytes = memory.read(address, memory.pointerSize * 2);
  if (failed(bytes)) return null;
  const text = readUnicodeString(memory, bytes, 0);
  return failed(text) || text === '' ? null : text;
}

/** Reads processes by one layout. */
export class ProcessReader {
  /** From the start of a process, in bytes. */
  readonly links: number;
  /** Bytes of a process that are read. */
  readonly length: number;

  /** Null where the layout has no process list or no id. */
  static of(roots: ObjectRoots, layout: StructLayout): ProcessReader | null {
    const links = layout.fields['ActiveProcessLinks']?.offset;
    return links === undefined || layout.fields['UniqueProcessId'] === undefined
      ? null
      : new ProcessReader(roots, layout, links);
  }

  private constructor(
    private readonly roots: ObjectRoots,
    readonly layout: StructLayout,
    links: number,
  ) {
    this.links = links;
    const ends = Object.values(layout.fields).map(({ offset }) => offset + 32);
    this.length = Math.min(layout.size, Math.max(...ends, roots.directoryTableBase + 8));
  }

  /** The process at `address`. What cannot be is in its `doubts`. */
  read(address: VirtualAddress): ProcessFields | Failure {
    const bytes = this.roots.memory.read(address, this.length);
    return failed(bytes) ? bytes : this.parse(address, bytes);
  }

  /** The process whose first `length` bytes are given, fewer where its copy is cut off. */
  parse(address: VirtualAddress, bytes: Uint8Array): ProcessFields {
    const doubts: string[] = [];
    // Every process begins with a dispatcher header of its type; a lock is held in the highest bit.
    if (((bytes[0] ?? 0) & 0x7f) !== DISPATCHER_PROCESS) doubts.push('Pcb');
    const pid = this.pointer(bytes, 'UniqueProcessId') ?? 0n;
    if (pid % 4n !== 0n || pid > BigInt(MOST_PID)) doubts.push('UniqueProcessId');
    const created = this.time(bytes, 'CreateTime', doubts);
    const exited = this.time(bytes, 'ExitTime', doubts);
    const parent = this.pointer(bytes, 'InheritedFromUniqueProcessId');
    if (parent !== null && (parent % 4n !== 0n || parent > BigInt(MOST_PID))) {
      doubts.push('InheritedFromUniqueProcessId');
    }
    const imagePath = this.kernelPointer(bytes, 'SeAuditProcessCreationInfo', []);
    const image = this.wholeImage(this.image(bytes, doubts), imagePath);
    const objectTable = this.kernelPointer(bytes, 'ObjectTable', doubts);
    const threads = this.at(bytes, 'ActiveThreads', 4);
    if (threads !== null && threads > 1_000_000) doubts.push('ActiveThreads');
    const token = this.kernelPointer(bytes, 'Token', doubts, this.roots.memory.pointerSize === 8 ? 15n : 7n);
    const session = this.pointer(bytes, 'Session');
    // Where the time is not in the layout, what an ended process has given back tells; a dispatcher object is signaled then.
    const hasTime = this.layout.fields['ExitTime'] !== undefined;
    const ended = hasTime ? exited !== null : objectTable === null && threads === 0 && u32(bytes, 4) === 1;
    return {
      address,
      pid: Number(pid & 0xffffffffn),
      parentPid: parent === null || parent > BigInt(MOST_PID) ? null : Number(parent),
      image,
      createdAt: created,
      exitedAt: exited,
      ended,
      threads,
      objectTable,
      token,
      session: session === null || session === 0n ? null : virtual(session),
      directoryTableBase: this.root(bytes),
      quota: this.quota(bytes),
      commitBytes: this.commit(bytes),
      imagePath,
      doubts,
      listed: false,
      inIdTable: null,
    };
  }

  private at(bytes: Uint8Array, name: string, size: 4 | 8, more = 0): number | null {
    const offset = this.layout.fields[name]?.offset;
    if (offset === undefined || offset + more + size > bytes.length) return null;
    return size === 4 ? u32(bytes, offset + more) : u32(bytes, offset + more) + u32(bytes, offset + more + 4) * 2 ** 32;
  }

  private pointer(bytes: Uint8Array, name: string): bigint | null {
    const { pointerSize } = this.roots.memory;
    const offset = this.layout.fields[name]?.offset;
    if (offset === undefined || offset + pointerSize > bytes.length) return null;
    return pointerSize === 8 ? u64(bytes, offset) : BigInt(u32(bytes, offset));
  }

  private kernelPointer(bytes: Uint8Array, name: string, doubts: string[], flags = 0n): VirtualAddress | null {
    const value = this.pointer(bytes, name);
    const address = (value ?? 0n) & ~flags;
    if (value === null || address === 0n) return null;
    if (inKernel(this.roots, address)) return virtual(address);
    doubts.push(name);
    return null;
  }

  private time(bytes: Uint8Array, name: string, doubts: string[]): number | null {
    const value = this.at(bytes, name, 8);
    if (value === null || value === 0) return null;
    if (value < EARLIEST || value > LATEST) {
      doubts.push(name);
      return null;
    }
    return Math.floor(value / 10_000 - FILETIME_OF_1970);
  }

  private image(bytes: Uint8Array, doubts: string[]): string {
    const offset = this.layout.fields['ImageFileName']?.offset;
    if (offset === undefined) return '';
    const field = bytes.subarray(offset, offset + LONGEST_IMAGE);
    const end = field.indexOf(0);
    const text = field.subarray(0, end < 0 ? field.length : end);
    if (text.some((byte) => byte < 0x20 || byte === 0x7f)) {
      doubts.push('ImageFileName');
      return '';
    }
    return Buffer.from(text).toString('latin1');
  }

  private wholeImage(image: string, path: VirtualAddress | null): string {
    if (image.length < CUT_IMAGE || path === null) return image;
    const file = readString(this.roots, path)?.split('\\').at(-1) ?? '';
    return file.toLowerCase().startsWith(image.toLowerCase()) ? file : image;
  }

  private root(bytes: Uint8Array): PhysicalAddress | null {
    const at = this.roots.directoryTableBase;
    if (at + 8 > bytes.length) return null;
    const stored = this.roots.memory.pointerSize === 4 ? BigInt(u32(bytes, at)) & 0xffffffe0n : u64(bytes, at);
    const base = this.roots.memory.pointerSize === 4 ? stored : stored & 0x000ffffffffff000n;
    return base === 0n ? null : physical(Number(base));
  }

  /** First nonpaged, then paged pool: on every build. */
  private quota(bytes: Uint8Array): ProcessQuota | null {
    const width = this.roots.memory.pointerSize;
    const values = (...names: string[]): [number, number] | null => {
      for (const name of names) {
        const nonPaged = this.at(bytes, name, width);
        const paged = this.at(bytes, name, width, width);
        if (nonPaged !== null && paged !== null) return [nonPaged, paged];
      }
      return null;
    };
    const now = values('ProcessQuotaUsage', 'QuotaUsage');
    const peak = values('ProcessQuotaPeak', 'QuotaPeak');
    if (now === null || peak === null) return null;
    const possible = [...now, ...peak].every((value) => value < 2 ** 48);
    if (!possible) return null;
    return { nonPagedBytes: now[0], pagedBytes: now[1], nonPagedPeakBytes: peak[0], pagedPeakBytes: peak[1] };
  }

  private commit(bytes: Uint8Array): number | null {
    const pages = this.at(bytes, 'CommitCharge', this.roots.memory.pointerSize);
    return pages === null || pages > 2 ** 36 ? null : pages * PAGE_BYTES;
  }

  /** The process whose `ActiveProcessLinks` stands at `entry`. */
  ofLink(entry: VirtualAddress): VirtualAddress {
    return plus(entry, -this.links);
  }
}
