/**
 * What the time stamp of an image is: the time when it was linked, or with reproducible builds (the default of many
 * linkers since Windows 10) a hash of its contents, which reads as any time at all.
 */

import { plus, type VirtualAddress } from '../addresses.js';
import { failed } from '../bytes/failure.js';
import { u32 } from '../bytes/fields.js';
import type { VirtualMemory } from '../paging/virtual-memory.js';
import { DIRECTORY, type ImageHeaders } from './image.js';

/** IMAGE_DEBUG_TYPE_REPRO: the linker was told to build reproducibly. */
const REPRO = 16;
const MOST_DEBUG_ENTRIES = 32;
const DEBUG_ENTRY_SIZE = 28;
/** The first Windows NT is of July 1993. Seconds since 1970. */
const FIRST = Date.UTC(1993, 0) / 1000;
/** Clocks of build machines go wrong by hours, not by days. */
const SLACK = 2 * 24 * 3600;

/** `date`: linked then. `hash`: says nothing of a time. `impossible`: no time that it can have been linked at. */
export type TimeStampKind = 'date' | 'hash' | 'impossible';

/**
 * Judges a time stamp.
 *
 * @param isReproducible what `isReproducible` says; null where that is not known.
 * @param latest seconds since 1970 after which it cannot have been linked; null where unknown.
 * @returns null where it could be a time and could be a hash.
 */
export function judgeTimeStamp(
  stamp: number,
  isReproducible: boolean | null,
  latest: number | null,
): TimeStampKind | null {
  if (isReproducible === true) return 'hash';
  if (stamp < FIRST || (latest !== null && stamp > latest + SLACK)) return 'impossible';
  return isReproducible === null ? null : 'date';
}

/** Whether the debug directory says that the image was built reproducibly; null where it cannot be read. */
export function isReproducible(memory: VirtualMemory, base: VirtualAddress, headers: ImageHeaders): boolean | null {
  if (headers.directories.length <= DIRECTORY.debug) return null;
  const directory = headers.directories[DIRECTORY.debug];
  if (directory === undefined || directory.rva === 0) return false;
  const count = Math.min(MOST_DEBUG_ENTRIES, Math.floor(directory.size / DEBUG_ENTRY_SIZE));
  const entries = memory.read(plus(base, directory.rva), count * DEBUG_ENTRY_SIZE);
  if (failed(entries)) return null;
  for (let at = 0; at < entries.length; at += DEBUG_ENTRY_SIZE) {
    if (u32(entries, at + 12) === REPRO) return true;
  }
  return false;
}
