/** What the kernel readers hand to the leak analysis: records with real addresses, no policy. */

import type { VirtualAddress } from '../../parsers/addresses.js';
import type { Searched } from '../result/result.js';

/** One occurrence of a tag's four bytes in a module. */
export interface TagHit {
  /** Index into the module list that was searched. */
  module: number;
  /** Where the first of the four bytes stands. */
  address: VirtualAddress;
  /** From the module's base, in bytes. */
  offset: number;
  /** Up to 16 bytes from the hit on; fewer where the following page is missing. */
  bytes: Uint8Array;
  /** Up to 16 bytes before the hit, nearest last; fewer where the page before is missing. */
  before: Uint8Array;
  /** PE section name; null where the section table is missing. */
  section: string | null;
  /** The section is executable; null where the section table is missing. */
  executable: boolean | null;
  /** The bytes carry the PROTECTED_POOL bit (0x80 in the fourth byte). */
  protectedBit: boolean;
  /** It stands in a page that the dump lacks and the image on disk has. */
  fromDisk?: boolean;
  /** Only in ARM64 modules, where instructions have no room for a whole tag. */
  arm64?: Arm64Use;
}

/** How ARM64 code makes a tag. With `pair`, the hit stands at the first of two instructions, and no tag bytes do. */
export interface Arm64Use {
  /** MOVZ and MOVK build the tag in two halves. */
  pair: { second: VirtualAddress; register: number } | null;
  /** The instruction that loads the four bytes as a literal, where one was found. */
  loadedBy: VirtualAddress | null;
}

/** What a search over the modules' present pages gave. */
export interface TagSearch {
  /** By tag key without the protected bit, in order of module and address. Tags without a hit have an empty list. */
  hits: Map<number, TagHit[]>;
  searched: Searched;
}

/** Driver Verifier and special pool, as far as the dump tells. */
export interface VerifierState {
  /** `MmVerifierData.Level`: the flags in force; 0 = off. Null where it could not be read. */
  level: number | null;
  /** Names of verified drivers, where the list could be read. */
  drivers: string[];
  /** What verified drivers had not freed, by driver and tag; left out where pool tracking was off or cannot be read. */
  outstanding?: readonly VerifierOutstanding[];
  /** `MmSpecialPoolTag`: the tag that special pool is on for; 0 = off, null = unknown. */
  specialPoolTag: number | null;
}

/** Allocations of one driver under one tag that Driver Verifier tracks. */
export interface VerifierOutstanding {
  /** File name. */
  driver: string;
  /** Without the protected bit. */
  tag: number;
  allocations: number;
  bytes: number;
  /** Where they were made from, most first; the most frequent only. */
  callers: readonly { readonly address: VirtualAddress; readonly count: number }[];
}
