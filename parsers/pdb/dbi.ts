/**
 * The DBI stream (number 3): the age that matches an image, its processor, and which streams hold symbols and sections.
 *
 * A header of 64 bytes, then ModInfo, SectionContribution, SectionMap, SourceInfo, TypeServerMap, EC, OptionalDbgHeader, whose
 * sizes the header gives. The last is an array of u16 stream numbers: 3 OmapToSrc, 4 OmapFromSrc, 5 section headers, 10 section headers
 * before the image was rearranged; 0xFFFF is none.
 */

import { failed, Failure } from '../bytes/failure.js';
import { u16, u32 } from '../bytes/fields.js';
import type { PdbFailure } from './failure.js';
import type { MsfStream } from './msf.js';

const HEADER = 64;
/** VC 5.0 (1997): from here on the header has this form. */
const FIRST_SUPPORTED = 19970606;
const NONE = 0xffff;
/** Bytes of a module's entry before its two names. */
const MODULE_HEADER = 64;
/** Modules of one image; the largest known have some thousands. */
const MOST_MODULE_BYTES = 1 << 28;

/** What the DBI stream says. Stream numbers are `null` where there is no such stream. */
export interface DbiInfo {
  /** The age that the CodeView record of the matching image holds. */
  readonly age: number;
  /** An IMAGE_FILE_MACHINE value. */
  readonly machine: number;
  readonly symbolStream: number | null;
  readonly omapFromSource: number | null;
  readonly sectionHeaders: number | null;
  readonly originalSectionHeaders: number | null;
  /** Bytes of the list of modules, which follows the header. */
  readonly moduleBytes: number;
}

const streamOrNull = (number: number): number | null => (number === NONE ? null : number);

/** Reads the header of stream 3 and its list of debug streams. */
export function readDbi(stream: MsfStream): DbiInfo | PdbFailure {
  if (stream.byteLength < HEADER) {
    return new Failure('corrupt', `${stream.name}: ${stream.byteLength} bytes cannot be a DBI stream`);
  }
  const b = stream.bytes(0, HEADER);
  if (failed(b)) return b;
  const version = u32(b, 4);
  if (u32(b, 0) !== 0xffffffff || version < FIRST_SUPPORTED) {
    return new Failure('not-supported', `${stream.name}: a DBI stream of version ${version} is not supported`);
  }
  const sizes = [24, 28, 32, 36, 40, 52].map((at) => u32(b, at));
  const debugBytes = u32(b, 48);
  const before = sizes.reduce((sum, size) => sum + size, HEADER);
  if (before + debugBytes > stream.byteLength) {
    return new Failure(
      'corrupt',
      `${stream.name}: its parts need ${before + debugBytes} of ${stream.byteLength} bytes`,
    );
  }
  const debug = stream.bytes(before, Math.min(debugBytes, 22));
  if (failed(debug)) return debug;
  const debugStream = (index: number): number | null =>
    index * 2 + 2 > debug.length ? null : streamOrNull(u16(debug, index * 2));
  return {
    age: u32(b, 8),
    machine: u16(b, 58),
    symbolStream: streamOrNull(u16(b, 20)),
    omapFromSource: debugStream(4),
    sectionHeaders: debugStream(5),
    originalSectionHeaders: debugStream(10),
    moduleBytes: sizes[0] ?? 0,
  };
}

/** The symbol stream of each module in order, 0xFFFF where it has none. Stops at an entry that does not fit. */
export function readModuleStreams(stream: MsfStream, dbi: DbiInfo): readonly number[] | PdbFailure {
  if (dbi.moduleBytes > MOST_MODULE_BYTES) {
    return new Failure('corrupt', `${stream.name}: a list of modules of ${dbi.moduleBytes} bytes cannot be`);
  }
  const b = stream.bytes(HEADER, dbi.moduleBytes);
  if (failed(b)) return b;
  const streams: number[] = [];
  let at = 0;
  while (at + MODULE_HEADER + 2 <= b.length) {
    streams.push(u16(b, at + 34));
    const name = b.indexOf(0, at + MODULE_HEADER);
    const objectName = name < 0 ? -1 : b.indexOf(0, name + 1);
    if (objectName < 0) break;
    at = (objectName + 4) & ~3;
  }
  return streams;
}
