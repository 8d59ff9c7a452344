/**
 * A PDB: which image it belongs to, where its symbols are, how its types are laid out. Opening reads headers only; symbols and
 * types are found when they are asked for, in passes that hold a chunk of the file in memory.
 */

import { rva as asRva, type Rva } from '../addresses.js';
import { CachedSource } from '../bytes/cached-source.js';
import { failed, Failure } from '../bytes/failure.js';
import { u16, u32 } from '../bytes/fields.js';
import type { ByteSource } from '../bytes/source.js';
import type { StructLayout } from '../kernel/layout.js';
import { allSymbols, type NamedSymbol } from './all-symbols.js';
import { readDbi, readModuleStreams, type DbiInfo } from './dbi.js';
import type { PdbFailure } from './failure.js';
import { findSymbols, type SymbolHit } from './find-symbols.js';
import { indexFunctions, type FunctionIndex, type NearestFunction } from './functions.js';
import { readInfo } from './info.js';
import { Layouts } from './layouts.js';
import { openMsf, type MsfFile, type MsfStream } from './msf.js';
import { forEachRecord } from './records.js';
import { readAddressMap, type AddressMap, type PdbSection } from './sections.js';
import {
  NAME_AT,
  OFFSET_AT,
  readProcedure,
  S_GDATA32,
  S_LDATA32,
  S_LPROCREF,
  S_PROCREF,
  S_PUB32,
  SEGMENT_AT,
} from './symbol-kinds.js';
import { indexTypes, type TypeIndex } from './type-index.js';
import { MACHINE_X86 } from './undecorate.js';

const INFO_STREAM = 1;
const TYPE_STREAM = 2;
const DBI_STREAM = 3;
const NO_STREAM = 0xffff;
/** Remarks kept; a damaged file could give one for every type. */
const MOST_NOTES = 50;

/** What tells one build from another. An image and a PDB match by `guid` and `age`. */
export interface PdbIdentity {
  /** 32 upper-case hexadecimal digits, as symbol stores spell it. */
  readonly guid: string;
  /** Of the DBI stream: the one that the image's CodeView record holds. */
  readonly age: number;
  /** Of the information stream; the same or higher. */
  readonly infoAge: number;
  /** An IMAGE_FILE_MACHINE value. */
  readonly machine: number;
}

/** A symbol that was found. */
export interface PdbSymbol {
  readonly rva: Rva;
  /** The section's number, from 1, as the linker counted them. */
  readonly section: number;
  readonly isFunction: boolean;
  /** The number of its type, for `elements`; `null` for public symbols, which have none. */
  readonly type: number | null;
}

/** What is in the file, for people. */
export interface PdbCounts {
  readonly streams: number;
  readonly publics: number;
  readonly types: number;
  readonly sections: readonly PdbSection[];
  /** Entries of the table for images that were rearranged after linking. */
  readonly omap: number;
}

/** An open PDB. Nothing here throws but for errors of the medium itself. */
export class Pdb {
  private readonly remarks: string[] = [];
  private functionIndex: FunctionIndex | null | undefined;
  private layouts: Layouts | null | undefined;
  private types: TypeIndex | null = null;
  private modules: readonly number[] | undefined;
  private readonly moduleStreams = new Map<number, MsfStream | null>();
  /** For small reads here and there; passes read the file directly. */
  private readonly cachedMsf: MsfFile;

  constructor(
    private readonly source: ByteSource,
    private readonly msf: MsfFile,
    private readonly dbi: DbiInfo,
    private readonly addresses: AddressMap,
    readonly identity: PdbIdentity,
  ) {
    this.cachedMsf = msf.over(new CachedSource(source));
  }

  /** A path or a label for messages. */
  get name(): string {
    return this.source.name;
  }

  /** Bytes that the file has by its own account; one that was cut short has fewer. */
  get fileBytes(): number {
    return this.msf.blockCount * this.msf.blockSize;
  }

  /** Bytes of a pointer of the image's processor. */
  get pointerSize(): 4 | 8 {
    return this.identity.machine === MACHINE_X86 ? 4 : 8;
  }

  /** What was damaged, ambiguous or not read so far, a sentence each. */
  get notes(): readonly string[] {
    return this.remarks;
  }

  /**
   * Where the named symbols are: one pass over the symbols for all names. Names are compared exactly, x86 public names without
   * their decoration. A public symbol wins over global data, that over a module's own; a name that stands for several addresses
   * of the same standing is left out and noted, as are symbols of removed code.
   */
  symbols(names: Iterable<string>): Map<string, PdbSymbol> {
    const found = new Map<string, PdbSymbol>();
    const stream = this.symbolStream();
    const wanted = new Set(names);
    if (stream === null || wanted.size === 0) return found;
    const { hits, damage } = findSymbols(stream, wanted, this.identity.machine);
    if (damage !== null) this.note(damage);
    const best = new Map<string, number>();
    const types = new Map<string, number>();
    for (const hit of hits.toSorted((a, b) => a.rank - b.rank)) {
      if (hit.type !== 0 && !types.has(hit.name)) types.set(hit.name, hit.type);
      const rank = best.get(hit.name);
      if (rank !== undefined && rank < hit.rank) continue;
      const symbol = this.resolve(hit);
      if (symbol === null) continue;
      const known = found.get(hit.name);
      if (rank !== undefined && known?.rva !== symbol.rva) {
        if (known !== undefined) this.note(`${hit.name} stands for several addresses`);
        found.delete(hit.name);
        continue;
      }
      best.set(hit.name, hit.rank);
      found.set(hit.name, symbol);
    }
    for (const [name, type] of types) {
      const symbol = found.get(name);
      if (symbol !== undefined) found.set(name, { ...symbol, type });
    }
    return found;
  }

  /** The last function that begins at or before `rva` in the same section, or `null`. The index is built at the first call. */
  nearestFunction(rva: number): NearestFunction | null {
    if (this.functionIndex === undefined) {
      const symbols = this.symbolStream();
      this.functionIndex =
        symbols === null
          ? null
          : indexFunctions({
              symbols,
              machine: this.identity.machine,
              module: (number) => this.moduleStream(number),
              rva: (segment, offset) => this.addresses.rva(segment, offset),
            });
      if (this.functionIndex?.damage) this.note(this.functionIndex.damage);
    }
    const found = this.functionIndex?.find(rva) ?? null;
    return found !== null && this.sectionOf(found.rva) === this.sectionOf(rva) ? found : null;
  }

  /** The layout of a structure or union, or `null`. Members without a name give their members to the structure around them. */
  layout(type: string): StructLayout | null {
    return this.typeLayouts()?.layout(type) ?? null;
  }

  /** The value of an enumerator, or `null`. */
  enumValue(enumeration: string, enumerator: string): number | null {
    return this.typeLayouts()?.enumValue(enumeration, enumerator) ?? null;
  }

  /** How many elements the array of this type has (`PdbSymbol.type`), or `null`. */
  elements(type: number): number | null {
    return this.typeLayouts()?.elements(type) ?? null;
  }

  /**
   * Bytes from `rva` to the next symbol of any kind or the end of the section, or `null` outside of all sections: an upper bound
   * for the size of what stands there. One pass over the symbols.
   */
  bytesToNextSymbol(rva: number): number | null {
    const section = this.sectionOf(rva);
    const stream = this.symbolStream();
    if (section === undefined || stream === null) return null;
    let next = section.rva + section.size;
    const damage = forEachRecord(stream, 0, stream.byteLength, (b, words, at, end) => {
      const kind = words[at >>> 1] ?? 0;
      if ((kind !== S_PUB32 && kind !== S_GDATA32 && kind !== S_LDATA32) || at + NAME_AT > end) return true;
      const other = this.addresses.rva(u16(b, at + SEGMENT_AT), u32(b, at + OFFSET_AT));
      if (other !== null && other > rva && other < next) next = other;
      return true;
    });
    if (damage !== null) this.note(damage);
    return next - rva;
  }

  /** Every public symbol and every global, in no order: one pass over the symbols. A name may come up several times. */
  allSymbols(): readonly NamedSymbol[] {
    const stream = this.symbolStream();
    if (stream === null) return [];
    const { symbols, damage } = allSymbols(stream, this.identity.machine, (segment, offset) =>
      this.addresses.rva(segment, offset),
    );
    if (damage !== null) this.note(damage);
    return symbols;
  }

  /** Counts what is in the file: one pass over symbols and types each. */
  counts(): PdbCounts {
    let publics = 0;
    const stream = this.symbolStream();
    if (stream !== null) {
      const damage = forEachRecord(stream, 0, stream.byteLength, (_, words, at) => {
        if (words[at >>> 1] === S_PUB32) publics++;
        return true;
      });
      if (damage !== null) this.note(damage);
    }
    this.typeLayouts();
    return {
      streams: this.msf.streamCount,
      publics,
      types: this.types?.typeCount ?? 0,
      sections: this.addresses.sections,
      omap: this.addresses.omapEntries,
    };
  }

  close(): void {
    this.source.close();
  }

  private note(message: string): void {
    if (this.remarks.length < MOST_NOTES && !this.remarks.includes(message)) this.remarks.push(message);
  }

  private usable(stream: MsfStream | PdbFailure | null): MsfStream | null {
    if (!failed(stream)) return stream;
    this.note(stream.message);
    return null;
  }

  private symbolStream(): MsfStream | null {
    return this.dbi.symbolStream === null ? null : this.usable(this.msf.stream(this.dbi.symbolStream));
  }

  private moduleStream(number: number): MsfStream | null {
    const known = this.moduleStreams.get(number);
    if (known !== undefined) return known;
    if (this.modules === undefined) {
      const dbi = this.usable(this.msf.stream(DBI_STREAM));
      const modules = dbi === null ? [] : readModuleStreams(dbi, this.dbi);
      if (failed(modules)) this.note(modules.message);
      this.modules = failed(modules) ? [] : modules;
    }
    const stream = this.modules[number - 1];
    const opened = stream === undefined || stream === NO_STREAM ? null : this.usable(this.cachedMsf.stream(stream));
    this.moduleStreams.set(number, opened);
    return opened;
  }

  private resolve(hit: SymbolHit): PdbSymbol | null {
    let { segment, offset } = hit;
    if (hit.kind === S_PROCREF || hit.kind === S_LPROCREF) {
      const module = this.moduleStream(hit.segment);
      const procedure = module === null ? null : readProcedure(module, hit.offset);
      if (procedure === null) return null;
      ({ segment, offset } = procedure);
    }
    const rva = this.addresses.rva(segment, offset);
    if (rva === null) {
      this.note(`${hit.name} has no address in the image`);
      return null;
    }
    return { rva: asRva(rva), section: segment, isFunction: hit.isFunction, type: null };
  }

  private sectionOf(rva: number): PdbSection | undefined {
    return this.addresses.sections.find((section) => rva >= section.rva && rva < section.rva + section.size);
  }

  private typeLayouts(): Layouts | null {
    if (this.layouts !== undefined) return this.layouts;
    const stream = this.usable(this.msf.stream(TYPE_STREAM));
    const types = stream === null || stream.byteLength === 0 ? null : indexTypes(stream);
    if (failed(types)) this.note(types.message);
    this.types = failed(types) ? null : types;
    if (this.types?.damage) this.note(this.types.damage);
    this.layouts =
      this.types === null
        ? null
        : new Layouts(this.types, this.pointerSize, (message) => {
            this.note(message);
          });
    return this.layouts;
  }
}

/**
 * Opens a PDB over a source, which `Pdb.close` closes; on failure the source stays open. Fails with `not-supported` for kinds that are not
 * read (MSFZ, `/DEBUG:FASTLINK`, formats before 2000, the type PDBs of compilers), with `corrupt` or `cut-short` for damaged files.
 */
export function openPdb(source: ByteSource): Pdb | PdbFailure {
  const msf = openMsf(source);
  if (failed(msf)) return msf;
  const required = (number: number, what: string): MsfStream | PdbFailure =>
    msf.stream(number) ?? new Failure('corrupt', `${source.name} has no ${what} stream`);
  const infoStream = required(INFO_STREAM, 'PDB information');
  const info = failed(infoStream) ? infoStream : readInfo(infoStream);
  if (failed(info)) return info;
  if (info.fastlink) {
    return new Failure(
      'not-supported',
      `${source.name} was made with /DEBUG:FASTLINK and leaves its symbols in object files: make a full PDB (/DEBUG:FULL, or mspdbcmf)`,
    );
  }
  const dbiStream = required(DBI_STREAM, 'DBI');
  if (failed(dbiStream)) return dbiStream;
  if (dbiStream.byteLength === 0) {
    return new Failure('not-supported', `${source.name} is a compiler's PDB of types: it belongs to no image`);
  }
  const dbi = readDbi(dbiStream);
  if (failed(dbi)) return dbi;
  const addresses = readAddressMap(msf, dbi);
  if (failed(addresses)) return addresses;
  const identity = { guid: info.guid, age: dbi.age, infoAge: info.age, machine: dbi.machine };
  return new Pdb(source, msf, dbi, addresses, identity);
}
