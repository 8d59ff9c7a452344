/**
 * Secondary (tagged) data: what Windows and drivers append to a dump after its own parts, one blob each, under a GUID.
 * There is no count: blobs follow each other until the file ends. Layout as verified on real triage dumps of 19041 (x64)
 * and 22000 (ARM64), where it begins right after the triage data; in other dumps it is looked for after the last page.
 */

import { fileOffset } from '../addresses.js';
import { asciiz, u16, u32 } from '../bytes/fields.js';
import type { ByteSource } from '../bytes/source.js';

const SIGNATURE = Buffer.from('DumpBlob');
const FILE_HEADER = 0x10;
const BLOB_HEADER = 0x20;
const LARGEST_HEADER = 0x1000;
/** How far behind the dump's own data the header may begin. */
const SLACK = 0x1000;
const MOST_BLOBS = 4096;
/** A log of Windows' software trace preprocessor: a name, then this mark at +0x1C. */
const TRACE_MARK = Buffer.from('WPLg');
const TRACE_MARK_AT = 0x1c;

/** One blob. */
export interface SecondaryBlob {
  /** Lower case with hyphens. */
  readonly guid: string;
  /** File offset of its data. */
  readonly offset: number;
  /** Bytes of its data. */
  readonly size: number;
  /** What it holds, where that is known by the GUID or shows at its beginning. */
  readonly name: string | null;
}

/** All blobs of a dump. */
export interface SecondaryData {
  readonly blobs: readonly SecondaryBlob[];
  /** False where the list ended before the file did: it is damaged or cut, or longer than any real one. */
  readonly complete: boolean;
}

/**
 * GUIDs whose contents are known: the first two from the published source of the Windows Driver Frameworks, the others
 * from what stands in them in real dumps.
 */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['54c84888-01d1-4c1e-bed6-282c98241303', 'in-flight recorder of a WDF driver'],
  ['f87e4a4c-c5a1-4d2f-bff0-d5de63a5e4c3', 'WDF drivers and libraries'],
  ['d03dc06f-d88e-44c5-ba2a-fae035172d19', 'CPUID of the processors'],
  ['6c7ac389-4313-47dc-9f34-a8800a0fb56c', 'hardware description from the registry'],
  ['e83b40d2-b0a0-4842-abea-71c9e3463dd1', 'ACPI tables'],
  ['bc5c008f-1e3a-44d7-988d-86f6884c6758', 'SMBIOS: maker and model'],
  ['9276c055-eb87-425c-b8b5-04e4d247f6cd', 'PCI configuration space'],
  ['da82441d-7142-4bc1-b844-0807c5a4b67f', 'Storport'],
  ['00000000-0000-0000-0000-000000000000', 'empty'],
]);

/** The blobs that begin at or soon after `end`, a file offset: the end of the dump's own data. Null where there are none. */
export function readSecondaryData(source: ByteSource, end: number): SecondaryData | null {
  const start = findStart(source, end);
  if (start === null) return null;
  const header = bytesAt(source, start, FILE_HEADER);
  let at = start + Math.max(FILE_HEADER, Math.min(u32(header, 8), LARGEST_HEADER));
  const blobs: SecondaryBlob[] = [];
  while (at + BLOB_HEADER <= source.byteLength) {
    const blob = bytesAt(source, at, BLOB_HEADER);
    const [headerSize, size, before, after] = [u32(blob, 0), u32(blob, 0x14), u32(blob, 0x18), u32(blob, 0x1c)];
    const offset = at + headerSize + before;
    const next = offset + size + after;
    const isSane = headerSize >= BLOB_HEADER && headerSize <= LARGEST_HEADER && next <= source.byteLength;
    if (!isSane || blobs.length >= MOST_BLOBS) return { blobs, complete: false };
    const guid = guidText(blob, 4);
    blobs.push({ guid, offset, size, name: NAMES.get(guid) ?? traceName(source, offset, size) });
    at = next;
  }
  return { blobs, complete: true };
}

function findStart(source: ByteSource, end: number): number | null {
  if (end <= 0 || end >= source.byteLength) return null;
  const window = Buffer.from(bytesAt(source, end, Math.min(SLACK + SIGNATURE.length, source.byteLength - end)));
  for (let at = window.indexOf(SIGNATURE); at >= 0; at = window.indexOf(SIGNATURE, at + 1)) {
    if ((end + at) % 4 === 0 && end + at + FILE_HEADER <= source.byteLength) return end + at;
  }
  return null;
}

function traceName(source: ByteSource, offset: number, size: number): string | null {
  if (size < TRACE_MARK_AT + TRACE_MARK.length) return null;
  const head = bytesAt(source, offset, TRACE_MARK_AT + TRACE_MARK.length);
  if (!TRACE_MARK.equals(head.subarray(TRACE_MARK_AT))) return null;
  const name = asciiz(head, 0, TRACE_MARK_AT);
  return /^[\x21-\x7e]+$/.test(name) ? `trace log: ${name}` : 'trace log';
}

function guidText(b: Uint8Array, at: number): string {
  const part = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  const tail = Buffer.from(b.subarray(at + 8, at + 16)).toString('hex');
  return `${part(u32(b, at), 8)}-${part(u16(b, at + 4), 4)}-${part(u16(b, at + 6), 4)}-${tail.slice(0, 4)}-${tail.slice(4)}`;
}

/** Bytes that are known to be in the file. */
function bytesAt(source: ByteSource, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  source.read(fileOffset(offset), bytes);
  return bytes;
}
