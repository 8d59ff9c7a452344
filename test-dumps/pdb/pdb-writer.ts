/** Writes whole PDBs: identity, sections, OMAP, symbols, modules, types. Shares nothing with the reader. */

import { concat, guidBytes, latin1, putU16, putU32 } from '../bytes.js';
import { fields, record, writeMsf, type MsfOptions } from './msf-writer.js';
import type { TypeWriter } from './type-writer.js';

const NONE = 0xffff;
const STREAM = { info: 1, types: 2, dbi: 3, symbols: 5, sections: 6, original: 7, omap: 8, firstModule: 9 } as const;

export interface SectionSpec {
  readonly name: string;
  readonly rva: number;
  readonly size: number;
}

/** A symbol by segment (from 1) and offset. */
export interface SymbolSpec {
  readonly name: string;
  readonly segment: number;
  readonly offset: number;
}

/** A procedure in a module's symbols. */
export interface ProcedureSpec extends SymbolSpec {
  readonly size: number;
}

/** Symbol records. */
export const symbolRecord = {
  public: ({ name, segment, offset }: SymbolSpec, isFunction = false): Uint8Array =>
    record(0x110e, fields({ u32: isFunction ? 2 : 0 }, { u32: offset }, { u16: segment }, { text: name })),
  global: ({ name, segment, offset }: SymbolSpec, type = 0x22): Uint8Array =>
    record(0x110d, fields({ u32: type }, { u32: offset }, { u16: segment }, { text: name })),
  local: ({ name, segment, offset }: SymbolSpec, type = 0x22): Uint8Array =>
    record(0x110c, fields({ u32: type }, { u32: offset }, { u16: segment }, { text: name })),
  procedureReference: (name: string, module: number, position: number, local = false): Uint8Array =>
    record(local ? 0x1127 : 0x1125, fields({ u32: 0 }, { u32: position }, { u16: module }, { text: name })),
  procedure: ({ name, segment, offset, size }: ProcedureSpec): Uint8Array =>
    record(
      0x1110,
      fields(...[0, 0, 0, size, 0, 0, 0x1000, offset].map((u32) => ({ u32 })), { u16: segment }, Uint8Array.of(0), {
        text: name,
      }),
    ),
};

export interface PdbSpec {
  /** 32 hex digits. */
  readonly guid: string;
  readonly age: number;
  /** Age of the information stream; default: `age`. */
  readonly infoAge?: number;
  readonly machine: number;
  readonly sections: readonly SectionSpec[];
  /** The sections before the image was rearranged, with `omap`: pairs of RVA before and after. */
  readonly originalSections?: readonly SectionSpec[];
  readonly omap?: readonly (readonly [number, number])[];
  /** Symbol records in order. */
  readonly symbols: readonly Uint8Array[];
  /** The symbols of each module, as they stand in its stream after the signature. */
  readonly modules?: readonly (readonly Uint8Array[])[];
  readonly types?: TypeWriter;
  /** Feature codes after the named streams. */
  readonly features?: readonly number[];
}

function sectionHeaders(sections: readonly SectionSpec[]): Uint8Array {
  return concat(
    sections.map(({ name, rva, size }) => {
      const header = new Uint8Array(40);
      header.set(latin1(name).subarray(0, 8), 0);
      putU32(header, 8, size);
      putU32(header, 12, rva);
      return header;
    }),
  );
}

function infoStream(spec: PdbSpec): Uint8Array {
  const named = latin1('/names\0');
  return concat([
    fields({ u32: 20000404 }, { u32: 0x5f5e100 }, { u32: spec.infoAge ?? spec.age }, guidBytes(spec.guid)),
    fields(
      { u32: named.length },
      named,
      { u32: 1 },
      { u32: 2 },
      { u32: 1 },
      { u32: 1 },
      { u32: 0 },
      { u32: 0 },
      { u32: 4 },
    ),
    fields({ u32: 0 }, ...(spec.features ?? [20140508]).map((u32) => ({ u32 }))),
  ]);
}

function moduleInfo(modules: readonly (readonly Uint8Array[])[]): Uint8Array {
  return concat(
    modules.map((records, i) => {
      const head = new Uint8Array(64);
      putU16(head, 34, records.length === 0 ? NONE : STREAM.firstModule + i);
      const entry = concat([head, latin1(`m${i}.obj\0m${i}.obj\0`)]);
      return concat([entry, new Uint8Array((4 - (entry.length % 4)) % 4)]);
    }),
  );
}

function dbiStream(spec: PdbSpec): Uint8Array {
  const modules = moduleInfo(spec.modules ?? []);
  const debug = new Uint8Array(22).fill(0xff);
  putU16(debug, 5 * 2, STREAM.sections);
  if (spec.omap !== undefined) putU16(debug, 4 * 2, STREAM.omap);
  if (spec.originalSections !== undefined) putU16(debug, 10 * 2, STREAM.original);
  const header = new Uint8Array(64);
  putU32(header, 0, 0xffffffff);
  putU32(header, 4, 19990903);
  putU32(header, 8, spec.age);
  putU16(header, 12, NONE);
  putU16(header, 16, NONE);
  putU16(header, 20, STREAM.symbols);
  putU32(header, 24, modules.length);
  putU32(header, 48, debug.length);
  putU16(header, 58, spec.machine);
  return concat([header, modules, debug]);
}

/** The streams of a PDB in order, to be changed before they are written. */
export function pdbStreams(spec: PdbSpec): (Uint8Array | null)[] {
  const omap = spec.omap?.map(([from, to]) => fields({ u32: from }, { u32: to })) ?? null;
  return [
    new Uint8Array(0),
    infoStream(spec),
    spec.types?.stream() ?? null,
    dbiStream(spec),
    null,
    concat(spec.symbols),
    sectionHeaders(spec.sections),
    spec.originalSections === undefined ? null : sectionHeaders(spec.originalSections),
    omap === null ? null : concat(omap),
    ...(spec.modules ?? []).map((records) => concat([fields({ u32: 4 }), ...records])),
  ];
}

/** The bytes of a PDB. */
export function writePdb(spec: PdbSpec, options: MsfOptions = {}): Uint8Array {
  return writeMsf(pdbStreams(spec), options);
}
