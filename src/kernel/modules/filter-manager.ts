/**
 * The filters that the filter manager has registered: its frames, and in each the filters with altitude and instances. Layouts
 * and the address of its globals come from its PDB, whose public types have them; without one nothing is known.
 */

import { plus, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { u32 } from '../../../parsers/bytes/fields.js';
import type { StructLayout } from '../../../parsers/kernel/layout.js';
import { readUnicodeString, walkList } from '../../../parsers/kernel/structures.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';

/** A registered filter. Null is unknown. */
export interface RegisteredFilter {
  /** Where the image of its driver begins. */
  readonly image: bigint | null;
  /** `385201.5`: the higher, the earlier it is called. */
  readonly altitude: string | null;
  /** Volumes that it is attached to. */
  readonly instances: number | null;
}

/** What a PDB of the filter manager tells. */
export interface FilterManagerTypes {
  layout(type: string): StructLayout | null;
  /** Of its `FltGlobals`; null where it has none. */
  readonly globals: number | null;
}

const MOST_FRAMES = 64;
const MOST_FILTERS = 1024;
/** Altitudes are decimal numbers. */
const ALTITUDE = /^\d{1,12}(?:\.\d{1,24})?$/;
/** `_DRIVER_OBJECT.DriverStart`, the same on all builds. */
const DRIVER_START = { 4: 0xc, 8: 0x18 } as const;

/** All filters that can be read; null where the types lack what is needed. `base` is that of the filter manager's image. */
export function registeredFilters(
  memory: VirtualMemory,
  base: VirtualAddress,
  types: FilterManagerTypes,
): RegisteredFilter[] | null {
  const offset = (type: string, field: string): number | null => types.layout(type)?.fields[field]?.offset ?? null;
  const at = {
    frames: offset('_GLOBALS', 'FrameList'),
    list: offset('_FLT_RESOURCE_LIST_HEAD', 'rList'),
    count: offset('_FLT_RESOURCE_LIST_HEAD', 'rCount'),
    links: offset('_FLTP_FRAME', 'Links'),
    filters: offset('_FLTP_FRAME', 'RegisteredFilters'),
    object: offset('_FLT_FILTER', 'Base'),
    link: offset('_FLT_OBJECT', 'PrimaryLink'),
    altitude: offset('_FLT_FILTER', 'DefaultAltitude'),
    driver: offset('_FLT_FILTER', 'DriverObject'),
    instances: offset('_FLT_FILTER', 'InstanceList'),
  };
  const { globals } = types;
  if (globals === null || !isComplete(at)) return null;
  const frames = walkList(memory, plus(base, globals + at.frames + at.list), MOST_FRAMES).entries;
  return frames.flatMap((links) => {
    const head = plus(links, at.filters + at.list - at.links);
    return walkList(memory, head, MOST_FILTERS).entries.map((link): RegisteredFilter => {
      const filter = plus(link, -(at.object + at.link));
      const count = memory.read(plus(filter, at.instances + at.count), 4);
      return {
        image: imageOf(memory, plus(filter, at.driver)),
        altitude: altitudeAt(memory, plus(filter, at.altitude)),
        instances: failed(count) ? null : u32(count, 0),
      };
    });
  });
}

function isComplete<T extends Readonly<Record<string, number | null>>>(at: T): at is T & Record<keyof T, number> {
  return Object.values(at).every((offset) => offset !== null);
}

function imageOf(memory: VirtualMemory, at: VirtualAddress): bigint | null {
  const driver = memory.readPointer(at);
  if (failed(driver)) return null;
  const start = memory.readPointer(plus(virtual(driver), DRIVER_START[memory.pointerSize]));
  return failed(start) ? null : start;
}

/** A `_UNICODE_STRING` that is a number. */
function altitudeAt(memory: VirtualMemory, at: VirtualAddress): string | null {
  const bytes = memory.read(at, 2 * memory.pointerSize);
  const text = failed(bytes) ? bytes : readUnicodeString(memory, bytes, 0);
  return !failed(text) && ALTITUDE.test(text) ? text : null;
}
