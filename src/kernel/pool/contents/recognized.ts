/** What a decoder says of a block. */

import type { FigureSource } from '../../../../symbols/kernel-symbols.js';
import type { HeapAddress } from '../../../../parsers/heap/memory.js';
import type { KeptBlock } from '../blocks/sample.js';
import type { NamedModule } from './address-names.js';

/** One thing that a block leads to: `run` `fabsec.sys+0x1f40`. */
export interface Lead {
  readonly how: string;
  readonly name: string;
}

/** A block that is surely of a kind. */
export interface Recognized {
  readonly leads: readonly Lead[];
  /** What else is true of it, in words that can be counted: `pages locked`. */
  readonly traits: readonly string[];
  /** The driver that the block is of; null where it is of none, or where that is not known. */
  readonly driver: {
    /** Words between what the block is and the driver: `that run`. */ readonly how: string;
    readonly module: NamedModule;
    readonly offset: HeapAddress | null;
  } | null;
  /** Of the layout that the data proved; null for a published declaration, which no kernel's symbols tell. */
  readonly source: FigureSource | null;
}

/** Recognizes blocks of one kind. */
export interface Decoder {
  /** What the blocks are called. */
  readonly kind: string;
  /** Many of them, in words. */
  readonly plural: string;
  /** Null where the block does not prove to be of the kind. */
  read(block: KeptBlock): Recognized | null;
}

/** `fabsec.sys+0x1f40`. */
export const placeIn = (module: NamedModule, address: HeapAddress): string =>
  `${module.name}+0x${(address - module.base).toString(16)}`;
