/**
 * From the `segment:offset` of a symbol to the RVA in the image: the section headers, and OMAP for images that were rearranged
 * after linking (kernels to Windows 7).
 *
 * OMAP is an array of {u32 rva, u32 rvaTo}, ascending by rva: an RVA before rearranging belongs to the last entry that is not
 * above it and lands as far after `rvaTo`. `rvaTo` 0 marks what was removed.
 */

import { failed, Failure } from '../bytes/failure.js';
import { asciiz, u32 } from '../bytes/fields.js';
import type { DbiInfo } from './dbi.js';
import type { PdbFailure } from './failure.js';
import type { MsfFile, MsfStream } from './msf.js';

const SECTION = 40;
const MOST_SECTIONS = 0xffff;
/** The OMAPs of kernels have some hundred thousand bytes. */
const LONGEST_OMAP = 1 << 26;

/** A section of the image. */
export interface PdbSection {
  readonly name: string;
  readonly rva: number;
  /** Bytes in memory. */
  readonly size: number;
}

/** Turns addresses of symbols into RVAs. */
export interface AddressMap {
  /** Of the image as it is on disk. */
  readonly sections: readonly PdbSection[];
  /** Entries of the table for rearranged images; 0 for most. */
  readonly omapEntries: number;
  /** The RVA, or `null` for absolute symbols, unknown sections and removed code. */
  rva(segment: number, offset: number): number | null;
}

function optionalStream(msf: MsfFile, number: number | null): MsfStream | PdbFailure | null {
  const stream = number === null ? null : msf.stream(number);
  return stream === null || failed(stream) || stream.byteLength > 0 ? stream : null;
}

function readSections(stream: MsfStream): PdbSection[] | PdbFailure {
  const count = Math.floor(stream.byteLength / SECTION);
  if (count > MOST_SECTIONS) return new Failure('corrupt', `${stream.name}: ${count} sections cannot be`);
  const b = stream.bytes(0, count * SECTION);
  if (failed(b)) return b;
  return Array.from({ length: count }, (_, i) => ({
    name: asciiz(b, i * SECTION, 8),
    size: u32(b, i * SECTION + 8),
    rva: u32(b, i * SECTION + 12),
  }));
}

/** Alternating rva and rvaTo. */
function readOmap(stream: MsfStream): Uint32Array | PdbFailure {
  if (stream.byteLength > LONGEST_OMAP) {
    return new Failure('corrupt', `${stream.name}: an OMAP of ${stream.byteLength} bytes cannot be`);
  }
  const b = stream.bytes(0, stream.byteLength & ~7);
  if (failed(b)) return b;
  const omap = new Uint32Array(b.length >>> 2);
  for (let i = 0; i < omap.length; i++) omap[i] = u32(b, i * 4);
  for (let i = 2; i < omap.length; i += 2) {
    if ((omap[i] ?? 0) < (omap[i - 2] ?? 0)) {
      return new Failure('corrupt', `${stream.name}: entry ${i / 2} of the OMAP is out of order`);
    }
  }
  return omap;
}

/** Where `rva` of the image before rearranging went; `null` when it was removed or stood before the first entry. */
function throughOmap(omap: Uint32Array, rva: number): number | null {
  let low = 0;
  let high = omap.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((omap[middle * 2] ?? 0) <= rva) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return null;
  const target = omap[low * 2 - 1] ?? 0;
  if (target === 0) return null;
  const moved = target + rva - (omap[low * 2 - 2] ?? 0);
  return moved > 0xffffffff ? null : moved;
}

/** Reads the section headers and OMAP of a PDB. */
export function readAddressMap(msf: MsfFile, dbi: DbiInfo): AddressMap | PdbFailure {
  const headers = optionalStream(msf, dbi.sectionHeaders);
  if (failed(headers)) return headers;
  if (headers === null)
    return new Failure('not-supported', 'the PDB has no section headers: its symbols have no addresses');
  const sections = readSections(headers);
  if (failed(sections)) return sections;
  const omapStream = optionalStream(msf, dbi.omapFromSource);
  if (failed(omapStream)) return omapStream;
  const omap = omapStream === null ? new Uint32Array(0) : readOmap(omapStream);
  if (failed(omap)) return omap;
  let original = sections;
  if (omap.length > 0) {
    const stream = optionalStream(msf, dbi.originalSectionHeaders);
    if (failed(stream)) return stream;
    const read = stream === null ? sections : readSections(stream);
    if (failed(read)) return read;
    original = read;
  }
  return {
    sections,
    omapEntries: omap.length / 2,
    rva(segment: number, offset: number): number | null {
      const section = original[segment - 1];
      if (section === undefined) return null;
      const rva = section.rva + offset;
      if (rva > 0xffffffff) return null;
      return omap.length === 0 ? rva : throughOmap(omap, rva);
    },
  };
}
