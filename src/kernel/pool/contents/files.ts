/** `_FILE_OBJECT`: type 5, its size, and a device whose driver is loaded. Object headers stand in front of it. */

import { u16 } from '../../../../parsers/bytes/fields.js';
import type { KeptBlock } from '../blocks/sample.js';
import type { IoObjects } from './io-objects.js';
import type { Decoder, Recognized } from './recognized.js';
import { Fields, type ContentWorld } from './world.js';

const TYPE_FILE = 5;
/** Object headers and their optional ones take so many bytes at most. */
const LAST_START = 0x120;
/** Documented bits of Flags: the last handle was closed; one was opened. */
const CLEANUP_DONE = 0x4000;

/** Recognizes file objects. */
export class FileDecoder implements Decoder {
  readonly kind = 'File';
  readonly plural = 'file objects';

  constructor(
    private readonly world: ContentWorld,
    private readonly objects: IoObjects,
  ) {}

  read({ data }: KeptBlock): Recognized | null {
    const { pointerSize } = this.world;
    const layouts = this.world.layoutsOf('_FILE_OBJECT');
    for (let at = 0; at <= LAST_START && at + 4 <= data.length; at += pointerSize) {
      if (u16(data, at) !== TYPE_FILE) continue;
      for (const { value, source } of layouts) {
        if (u16(data, at + 2) !== value.size) continue;
        const file = new Fields(value, data, at, pointerSize);
        const driver = this.objects.deviceDriver(file.pointer('DeviceObject'));
        if (driver === null || !this.world.isLink(file.pointer('RelatedFileObject')) || !hasName(file)) continue;
        const flags = file.u32('Flags') ?? 0;
        return {
          leads: driver.module === null ? [] : [{ how: 'on a device of', name: driver.module.name }],
          traits: (flags & CLEANUP_DONE) === 0 ? [] : ['closed, and still referenced'],
          ...{ driver: null, source },
        };
      }
    }
    return null;
  }
}

/** Bytes of text that fit what was allocated for them. */
function hasName(file: Fields): boolean {
  const at = file.place('FileName', 4);
  if (at === null) return false;
  const [length, most] = [u16(file.bytes, at), u16(file.bytes, at + 2)];
  return length % 2 === 0 && length <= most;
}
