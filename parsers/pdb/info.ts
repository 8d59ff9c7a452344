/**
 * The PDB information stream (number 1): which build this PDB belongs to, and features that say what else is in the file.
 *
 * u32 Version, u32 Signature, u32 Age, GUID; then the names of named streams (u32 bytes of text, the text, a hash table of
 * u32 size, u32 capacity, two bit vectors, size pairs of u32), then u32 feature codes to the end.
 */

import { failed, Failure } from '../bytes/failure.js';
import { u16, u32 } from '../bytes/fields.js';
import type { PdbFailure } from './failure.js';
import type { MsfStream } from './msf.js';

const HEADER = 28;
/** Versions older than this (VC 7.0, 2000) have no GUID. */
const FIRST_WITH_GUID = 20000404;
/** A PDB of `/DEBUG:FASTLINK`: types and most symbols are left in the object files. */
const FEATURE_MINIMAL = 0x494e494d;
/** The stream holds a few names; anything longer than this is no information stream. */
const LONGEST = 1 << 20;

/** What the information stream says. */
export interface PdbInfo {
  /** 32 upper-case hexadecimal digits, as symbol stores spell it. */
  readonly guid: string;
  /** Counts the writes of the PDB; an image is matched by the age in the DBI stream. */
  readonly age: number;
  /** Made with `/DEBUG:FASTLINK`. */
  readonly fastlink: boolean;
}

/** A GUID of 16 bytes as symbol stores spell it. */
export function guidText(b: Uint8Array, at: number): string {
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  let text = hex(u32(b, at), 8) + hex(u16(b, at + 4), 4) + hex(u16(b, at + 6), 4);
  for (let i = 8; i < 16; i++) text += hex(b[at + i] ?? 0, 2);
  return text.toUpperCase();
}

/** Where the feature codes begin, or `null` when the named streams do not fit the stream. */
function featuresAt(b: Uint8Array): number | null {
  let at = HEADER + 4 + u32(b, HEADER);
  if (at + 12 > b.length) return null;
  const size = u32(b, at);
  at += 8;
  for (let vector = 0; vector < 2; vector++) {
    if (at + 4 > b.length) return null;
    at += 4 + 4 * u32(b, at);
  }
  at += size * 8;
  return at <= b.length ? at : null;
}

/** Reads stream 1. Fails on versions without a GUID and on streams that are too short. */
export function readInfo(stream: MsfStream): PdbInfo | PdbFailure {
  if (stream.byteLength < HEADER || stream.byteLength > LONGEST) {
    return new Failure('corrupt', `${stream.name}: ${stream.byteLength} bytes cannot be the PDB information`);
  }
  const b = stream.bytes(0, stream.byteLength);
  if (failed(b)) return b;
  const version = u32(b, 0);
  if (version < FIRST_WITH_GUID) {
    return new Failure('not-supported', `${stream.name}: PDB version ${version} has no GUID and is not supported`);
  }
  let fastlink = false;
  const features = featuresAt(b);
  for (let at = features ?? b.length; at + 4 <= b.length; at += 4) {
    if (u32(b, at) === FEATURE_MINIMAL) fastlink = true;
  }
  return { guid: guidText(b, 12), age: u32(b, 8), fastlink };
}
