/** Writes small PE files, sound or with any field wrong, for tests of what reads images from disk. */

import { alignUp, latin1, putU16, putU32, putU64 } from '../bytes.js';

const MACHINES = { x64: 0x8664, arm64: 0xaa64, x86: 0x14c } as const;
const HEADER_AT = 0x80;

export interface FileSection {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Bytes in memory; those of `bytes` without it. */
  readonly virtualSize?: number;
  readonly executable?: boolean;
  /** RVA; the next free one without it. */
  readonly rva?: number;
}

export interface PeFileSpec {
  readonly architecture?: keyof typeof MACHINES;
  readonly sections: readonly FileSection[];
  /** 4096 by default; with less the file is mapped flat. */
  readonly sectionAlignment?: number;
  readonly fileAlignment?: number;
  readonly subsystem?: number;
  readonly imageBase?: bigint;
  /** RVA and size by index. */
  readonly directories?: Readonly<Record<number, readonly [number, number]>>;
}

/** The bytes of the file. */
export function peFile(spec: PeFileSpec): Uint8Array {
  const { architecture = 'x64', sections, sectionAlignment = 0x1000, fileAlignment = 0x200, subsystem = 1 } = spec;
  const wide = architecture !== 'x86';
  const directoriesAt = HEADER_AT + 0x18 + (wide ? 0x70 : 0x60);
  const tableAt = directoriesAt + 16 * 8;
  const headerBytes = alignUp(tableAt + sections.length * 40, fileAlignment);
  let [offset, rva] = [headerBytes, alignUp(headerBytes, sectionAlignment)];
  const placed = sections.map((section) => {
    const at = section.rva ?? rva;
    const size = section.virtualSize ?? section.bytes.length;
    const place = { ...section, at, size, offset, stored: alignUp(section.bytes.length, fileAlignment) };
    offset += place.stored;
    rva = alignUp(at + Math.max(size, 1), sectionAlignment);
    return place;
  });
  const file = new Uint8Array(offset);
  file.set(latin1('MZ'));
  putU32(file, 0x3c, HEADER_AT);
  file.set(latin1('PE\0\0'), HEADER_AT);
  putU16(file, HEADER_AT + 4, MACHINES[architecture]);
  putU16(file, HEADER_AT + 6, sections.length);
  putU32(file, HEADER_AT + 8, 0x5f000000);
  putU16(file, HEADER_AT + 0x14, tableAt - HEADER_AT - 0x18);
  const optional = HEADER_AT + 0x18;
  putU16(file, optional, wide ? 0x20b : 0x10b);
  const base = spec.imageBase ?? (wide ? 0x140000000n : 0x10000n);
  if (wide) putU64(file, optional + 0x18, base);
  else putU32(file, optional + 0x1c, Number(base));
  putU32(file, optional + 0x20, sectionAlignment);
  putU32(file, optional + 0x24, fileAlignment);
  putU32(file, optional + 0x38, rva);
  putU32(file, optional + 0x3c, headerBytes);
  putU16(file, optional + 0x44, subsystem);
  putU32(file, directoriesAt - 4, 16);
  for (const [index, [at, size]] of Object.entries(spec.directories ?? {})) {
    putU32(file, directoriesAt + Number(index) * 8, at);
    putU32(file, directoriesAt + Number(index) * 8 + 4, size);
  }
  placed.forEach((section, i) => {
    const entry = tableAt + i * 40;
    file.set(latin1(section.name).subarray(0, 8), entry);
    putU32(file, entry + 8, section.size);
    putU32(file, entry + 12, section.at);
    putU32(file, entry + 16, section.stored);
    putU32(file, entry + 20, section.stored === 0 ? 0 : section.offset);
    putU32(file, entry + 36, section.executable === true ? 0x60000020 : 0xc0000040);
    file.set(section.bytes, section.offset);
  });
  return file;
}
