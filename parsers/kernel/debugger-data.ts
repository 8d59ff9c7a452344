/**
 * KDDEBUGGER_DATA64, the block that tells a debugger where the kernel's globals are. In memory it may be encoded
 * (x64, Windows 8 and later); Windows decodes it before it writes a dump, hypervisors and converters do not.
 */

import { virtual, type VirtualAddress } from '../addresses.js';
import { hex, Failure } from '../bytes/failure.js';
import { u16, u32, u64 } from '../bytes/fields.js';
import { KDBG_FIELDS } from './debugger-data-fields.js';

/** `KDBG` at +0x10. */
const OWNER_TAG = 0x4742444b;
/** Sizes that a block can have; the smallest is Windows 2000's. */
const SMALLEST = 0x208;
const LARGEST = 0x1000;
/** Bytes of DBGKD_DEBUG_DATA_HEADER64. */
export const KDBG_HEADER_SIZE = 0x18;

const ALL_ONES = 0xffffffffffffffffn;

const FIELDS = new Map(KDBG_FIELDS.map(([name, offset, size]) => [name, { offset, size }]));

/** A decoded block. Fields beyond its size are null. */
export class DebuggerData {
  constructor(
    private readonly bytes: Uint8Array,
    /** Where it stands; null where the copy of a triage dump was read. */
    readonly address: VirtualAddress | null,
    readonly encoded: boolean,
    /** The target's: 32-bit kernels keep the 64-bit fields and may sign-extend their pointers. */
    private readonly pointerSize: 4 | 8 = 8,
  ) {}

  /** Header.Size, in bytes. */
  get size(): number {
    return u32(this.bytes, 0x14);
  }

  /** A field by its name in the public header; null where the block is too short for it. Throws on an unknown name. */
  value(name: string): bigint | null {
    const field = FIELDS.get(name);
    if (field === undefined) throw new Error(`KDDEBUGGER_DATA64 has no field ${name}`);
    if (field.offset + field.size > Math.min(this.size, this.bytes.length)) return null;
    if (field.size === 8) return u64(this.bytes, field.offset);
    if (field.size === 4) return BigInt(u32(this.bytes, field.offset));
    return BigInt(field.size === 2 ? u16(this.bytes, field.offset) : (this.bytes[field.offset] ?? 0));
  }

  /** A pointer field; null where it is missing or zero. */
  pointer(name: string): VirtualAddress | null {
    const value = FIELDS.has(name) ? this.value(name) : null;
    if (value === null || value === 0n) return null;
    return virtual(this.pointerSize === 4 ? BigInt.asUintN(32, value) : value);
  }

  /** Bit 0 of the flags word: on x86, the page tables are PAE's. */
  get paeEnabled(): boolean | null {
    const flags = this.value('Flags');
    return flags === null ? null : (flags & 1n) === 1n;
  }

  /** Levels of paging from the flags word, or null where the kernel does not say. */
  get pagingLevels(): number | null {
    const flags = this.value('Flags');
    const levels = flags === null ? 0 : Number((flags >> 2n) & 0xfn);
    return levels === 0 ? null : levels;
  }

  /** Every field that the block is long enough for. */
  *entries(): Iterable<[name: string, value: bigint]> {
    for (const [name] of KDBG_FIELDS) {
      const value = this.value(name);
      if (value !== null) yield [name, value];
    }
  }
}

/** The size of the block whose header bytes these are, or a failure when they are no such header. */
export function debuggerDataSize(header: Uint8Array): number | Failure {
  if (header.length < KDBG_HEADER_SIZE) return new Failure('short-file', 'the debugger block is cut off');
  if (u32(header, 0x10) !== OWNER_TAG) {
    return new Failure('corrupt', `no KDBG tag (${hex(u32(header, 0x10))} stands in its place)`);
  }
  const size = u32(header, 0x14);
  if (size < SMALLEST || size > LARGEST) {
    return new Failure('corrupt', `a debugger block of ${size} bytes cannot be`);
  }
  return size;
}

/** What decoding needs: two values and one address of the kernel's globals of these names. */
export interface DecodeKeys {
  readonly KiWaitNever: bigint;
  readonly KiWaitAlways: bigint;
  /** The address of nt!KdpDataBlockEncoded, not its value. */
  readonly KdpDataBlockEncoded: VirtualAddress;
}

/** Decodes an encoded block, whole or its beginning. The length is rounded down to 8 bytes. */
export function decodeDebuggerData(encoded: Uint8Array, keys: DecodeKeys): Uint8Array {
  const decoded = new Uint8Array(encoded.length - (encoded.length % 8));
  const view = new DataView(decoded.buffer);
  const rotate = keys.KiWaitNever & 63n;
  const address = keys.KdpDataBlockEncoded | 0xffff000000000000n;
  for (let at = 0; at < decoded.length; at += 8) {
    let q = u64(encoded, at) ^ keys.KiWaitNever;
    q = ((q << rotate) | (q >> (64n - rotate))) & ALL_ONES;
    q ^= address;
    view.setBigUint64(at, q, false);
    view.setBigUint64(at, view.getBigUint64(at, true) ^ keys.KiWaitAlways, true);
  }
  return decoded;
}
