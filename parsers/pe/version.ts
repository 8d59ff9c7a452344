/** The version resource of an image in memory: who made it and which version it is. */

import { plus, type VirtualAddress } from '../addresses.js';
import { failed, ReadFailure } from '../bytes/failure.js';
import { u16, u32, utf16 } from '../bytes/fields.js';
import type { VirtualMemory } from '../paging/virtual-memory.js';
import { DIRECTORY, type ImageHeaders } from './image.js';

const RT_VERSION = 16;
const FIXED_SIGNATURE = 0xfeef04bd;
const MOST_ENTRIES = 4096;
const LONGEST = 0x10000;
const DEEPEST = 4;

/** Strings of VS_VERSION_INFO; null where the resource has none. */
export interface ImageVersion {
  /** `4.0.0.0`, from the binary version, which no translation changes. */
  readonly fileVersion: string | null;
  readonly productName: string | null;
  readonly companyName: string | null;
  readonly fileDescription: string | null;
}

/** Reads the first version resource of the image, or says why it cannot. */
export function readVersion(
  memory: VirtualMemory,
  base: VirtualAddress,
  headers: ImageHeaders,
): ImageVersion | ReadFailure {
  const directory = headers.directories[DIRECTORY.resource];
  if (directory === undefined || directory.rva === 0) return new ReadFailure('corrupt', 'the image has no resources');
  const root = plus(base, directory.rva);
  const type = childOf(memory, root, 0, RT_VERSION);
  if (failed(type)) return type;
  const name = childOf(memory, root, type & 0x7fffffff, null);
  if (failed(name)) return name;
  const leaf = childOf(memory, root, name & 0x7fffffff, null);
  if (failed(leaf)) return leaf;
  const entry = memory.read(plus(root, leaf & 0x7fffffff), 16);
  if (failed(entry)) return entry;
  const size = u32(entry, 4);
  if (size > LONGEST || u32(entry, 0) >= headers.sizeOfImage) {
    return new ReadFailure('corrupt', 'the version resource lies outside of the image');
  }
  const bytes = memory.read(plus(base, u32(entry, 0)), size);
  return failed(bytes) ? bytes : parseVersionInfo(bytes);
}

/** The offset word of a resource directory's entry: the one with `id`, or the first. */
function childOf(memory: VirtualMemory, root: VirtualAddress, offset: number, id: number | null): number | ReadFailure {
  const head = memory.read(plus(root, offset), 16);
  if (failed(head)) return head;
  const count = Math.min(MOST_ENTRIES, u16(head, 12) + u16(head, 14));
  const entries = memory.read(plus(root, offset + 16), count * 8);
  if (failed(entries)) return entries;
  for (let at = 0; at < entries.length; at += 8) {
    if (id === null || u32(entries, at) === id) return u32(entries, at + 4);
  }
  return new ReadFailure('corrupt', 'the image has no version resource');
}

/** Parses VS_VERSION_INFO: nested blocks of length, value length, type, key, padding, value, children. */
export function parseVersionInfo(bytes: Uint8Array): ImageVersion {
  const strings = new Map<string, string>();
  const fixed = collect(bytes, 0, Math.min(bytes.length, u16(bytes, 0) || bytes.length), 0, strings);
  return {
    fileVersion: fixed ?? strings.get('FileVersion') ?? null,
    productName: strings.get('ProductName') ?? null,
    companyName: strings.get('CompanyName') ?? null,
    fileDescription: strings.get('FileDescription') ?? null,
  };
}

/** Walks one block; fills `strings` with the first value of each key and returns the binary file version. */
function collect(
  b: Uint8Array,
  start: number,
  end: number,
  depth: number,
  strings: Map<string, string>,
): string | null {
  if (depth > DEEPEST || start + 6 > end) return null;
  const valueLength = u16(b, start + 2);
  const isText = u16(b, start + 4) === 1;
  let at = start + 6;
  while (at + 2 <= end && u16(b, at) !== 0) at += 2;
  const key = utf16(b, start + 6, at - start - 6);
  at = align(at + 2);
  let fixed: string | null = null;
  if (valueLength > 0) {
    const valueBytes = Math.min(isText ? valueLength * 2 : valueLength, Math.max(0, end - at));
    if (depth === 0 && valueBytes >= 16 && u32(b, at) === FIXED_SIGNATURE) {
      const [high, low] = [u32(b, at + 8), u32(b, at + 12)];
      fixed = `${high >>> 16}.${high & 0xffff}.${low >>> 16}.${low & 0xffff}`;
    } else if (depth === 3 && isText && !strings.has(key)) {
      const text = utf16(b, at, valueBytes).split('\0')[0]?.trim() ?? '';
      if (text !== '') strings.set(key, text);
    }
    at = align(at + valueBytes);
  }
  while (at + 6 <= end) {
    const length = u16(b, at);
    if (length < 6) break;
    collect(b, at, Math.min(end, at + length), depth + 1, strings);
    at = align(at + length);
  }
  return fixed;
}

const align = (offset: number): number => (offset + 3) & ~3;
