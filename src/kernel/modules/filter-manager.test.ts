import { expect } from 'chai';
import { virtual } from '../../../parsers/addresses.js';
import { Failure } from '../../../parsers/bytes/failure.js';
import type { StructLayout } from '../../../parsers/kernel/layout.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { registeredFilters, type FilterManagerTypes } from './filter-manager.js';

const BASE = 0xffff_f800_0001_0000n;
const SIZE = 0x8000;
const GLOBALS = 0x100;

/** Offsets as the types of some build have them. */
const LAYOUTS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  _GLOBALS: { FrameList: 0x58 },
  _FLT_RESOURCE_LIST_HEAD: { rList: 0x68, rCount: 0x78 },
  _FLTP_FRAME: { Links: 8, RegisteredFilters: 0x48 },
  _FLT_FILTER: { Base: 0, Name: 0x38, DefaultAltitude: 0x48, DriverObject: 0x60, InstanceList: 0x68 },
  _FLT_OBJECT: { PrimaryLink: 0x10 },
};

function types(without: string | null = null): FilterManagerTypes {
  return {
    globals: GLOBALS,
    layout: (type): StructLayout | null => {
      const fields = LAYOUTS[type];
      if (fields === undefined) return null;
      const kept = Object.entries(fields).filter(([name]) => `${type}.${name}` !== without);
      return {
        name: type,
        size: 0x200,
        fields: Object.fromEntries(kept.map(([name, offset]) => [name, { offset, type: '' }])),
      };
    },
  };
}

interface Filter {
  altitude: string;
  instances: number;
  image: bigint;
}

/** One frame with these filters in `fltmgr.sys` itself, so that all lies side by side. */
function memoryOf(filters: readonly Filter[], change: (bytes: Buffer) => void = () => undefined): VirtualMemory {
  const bytes = Buffer.alloc(SIZE);
  const pointer = (at: number, target: number): void => void bytes.writeBigUInt64LE(BASE + BigInt(target), at);
  const ring = (links: readonly number[]): void => {
    links.forEach((at, i) => {
      pointer(at, links[(i + 1) % links.length] ?? 0);
    });
  };
  const frame = 0x400;
  const places = filters.map((_, i) => 0x1000 + i * 0x400);
  ring([GLOBALS + 0x58 + 0x68, frame + 8]);
  ring([frame + 0x48 + 0x68, ...places.map((at) => at + 0x10)]);
  filters.forEach(({ altitude, instances, image }, i) => {
    const at = places[i] ?? 0;
    const text = Buffer.from(altitude, 'utf16le');
    bytes.set(text, at + 0x200);
    bytes.writeUInt16LE(text.length, at + 0x48);
    bytes.writeUInt16LE(text.length, at + 0x4a);
    pointer(at + 0x50, at + 0x200);
    pointer(at + 0x60, at + 0x300);
    bytes.writeBigUInt64LE(image, at + 0x300 + 0x18);
    bytes.writeUInt32LE(instances, at + 0x68 + 0x78);
  });
  change(bytes);
  const read = (address: bigint, length: number): Uint8Array | Failure => {
    const at = Number(address - BASE);
    return at < 0 || at + length > SIZE ? new Failure('not-mapped', 'gone') : bytes.subarray(at, at + length);
  };
  return {
    pointerSize: 8,
    read,
    readPointer: (address: bigint) => {
      const found = read(address, 8);
      return found instanceof Failure ? found : Buffer.from(found).readBigUInt64LE();
    },
  } as unknown as VirtualMemory;
}

const TWO: readonly Filter[] = [
  { altitude: '328010', instances: 5, image: 0xffff_f800_1000_0000n },
  { altitude: '189900.25', instances: 2, image: 0xffff_f800_2000_0000n },
];

describe('registered filters', () => {
  it('are those of the frames of the filter manager, with altitude and instances', () => {
    expect(registeredFilters(memoryOf(TWO), virtual(BASE), types())).to.deep.equal(TWO);
    expect(registeredFilters(memoryOf([]), virtual(BASE), types())).to.deep.equal([]);
  });

  it('are not known where the types lack a field, or there is no global', () => {
    const needed = Object.entries(LAYOUTS).flatMap(([type, fields]) =>
      Object.keys(fields).map((name) => `${type}.${name}`),
    );
    for (const field of needed.filter((name) => name !== '_FLT_FILTER.Name')) {
      expect(registeredFilters(memoryOf(TWO), virtual(BASE), types(field)), field).to.equal(null);
    }
    expect(registeredFilters(memoryOf(TWO), virtual(BASE), { ...types(), globals: null })).to.equal(null);
  });

  it('lose what is no altitude or cannot be read, and end where the list does not', () => {
    const odd = memoryOf([{ ...TWO[0]!, altitude: 'no number' }]);
    expect(registeredFilters(odd, virtual(BASE), types())?.[0]).to.include({ altitude: null, instances: 5 });
    const noDriver = memoryOf(TWO, (bytes) => bytes.writeBigUInt64LE(0x1234n, 0x1060));
    expect(registeredFilters(noDriver, virtual(BASE), types())?.[0]).to.include({ image: null, altitude: '328010' });
    const loop = memoryOf(TWO, (bytes) => bytes.writeBigUInt64LE(BASE + 0x1010n, 0x1410));
    expect(registeredFilters(loop, virtual(BASE), types())).to.have.length(2);
    const cut = memoryOf(TWO, (bytes) => bytes.writeBigUInt64LE(1n, 0x1010));
    expect(registeredFilters(cut, virtual(BASE), types())?.length).to.be.at.most(2);
  });
});
