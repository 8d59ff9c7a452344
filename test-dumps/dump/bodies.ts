/** What stands between the header and the pages in each kind of dump. Offsets count from the file's first byte. */

import { alignUp, latin1, putU32, putU64 } from '../bytes.js';
import { HEADER_SIZE } from './dump-header.js';
import type { PageSet } from './page-set.js';
import { PAGE } from '../physical-memory.js';

/** What follows the header: some bytes, perhaps a bitmap of the stored frames, then the pages. */
export interface BodyHead {
  bytes: Uint8Array;
  /** Where the bitmap stands and how many bytes it has; it is made as it is read, for it can be large. */
  bitmap: { offset: number; length: number } | null;
  firstPage: number;
}

/** Full dump: pages follow at once, run by run. */
export function runsHead(headerSize = HEADER_SIZE): BodyHead {
  return { bytes: new Uint8Array(0), bitmap: null, firstPage: headerSize };
}

/** Bitmap header of types 5, 6 and 7: `SDMP`/`FDMP` `DUMP`, 64-bit sizes, bitmap at 0x38. */
export function bitmapHead(pages: PageSet, bits: number, full: boolean, headerSize = HEADER_SIZE): BodyHead {
  const { bitmap, firstPage } = place(0x38, bits, headerSize);
  const bytes = new Uint8Array(0x38);
  bytes.set(latin1(full ? 'FDMPDUMP' : 'SDMPDUMP'), 0);
  putU64(bytes, 0x20, firstPage);
  putU64(bytes, 0x28, pages.count);
  putU64(bytes, 0x30, bits);
  return { bytes, bitmap, firstPage };
}

/** Summary header of type 2 up to Windows 7: 32-bit sizes, bitmap at 0x28, or on 32-bit machines at 0x20. */
export function summaryHead(pages: PageSet, bits: number, headerSize = HEADER_SIZE): BodyHead {
  const size = headerSize === HEADER_SIZE ? 0x28 : 0x20;
  const { bitmap, firstPage } = place(size, bits, headerSize);
  if (bits > 0xffffffff) throw new Error('a summary header cannot count that many frames');
  const bytes = new Uint8Array(size);
  bytes.set(latin1('SDMPDUMP'), 0);
  putU32(bytes, 0x08, 1);
  putU32(bytes, 0x0c, firstPage);
  putU32(bytes, 0x10, bits);
  putU32(bytes, 0x14, pages.count);
  putU32(bytes, 0x18, bits);
  return { bytes, bitmap, firstPage };
}

/** RDMP, as a debugger writes it: a marker, two sizes, then a record for each run of pages. */
export function rdmpHead(pages: PageSet, complete: boolean): BodyHead {
  // A record of zeros ends the list where nothing counts the records.
  const records = pages.runs.length + (complete ? 0 : 1);
  const firstPage = HEADER_SIZE + 0x30 + records * 16;
  const bytes = new Uint8Array(0x30 + records * 16);
  putU32(bytes, 0, 0x40);
  bytes.set(latin1('RDMPDUMP'), 4);
  putU64(bytes, 0x10, firstPage - HEADER_SIZE - 0x20);
  putU64(bytes, 0x18, firstPage);
  if (complete) {
    putU32(bytes, 0x20, pages.runs.length);
    putU64(bytes, 0x28, pages.count);
  } else {
    putU64(bytes, 0x20, 0x1234);
    putU64(bytes, 0x28, 0x5678);
  }
  pages.runs.forEach((run, i) => {
    putU64(bytes, 0x30 + i * 16, run.basePage);
    putU64(bytes, 0x38 + i * 16, run.pageCount);
  });
  return { bytes, bitmap: null, firstPage };
}

/** The bitmap follows the body's header of `size` bytes, and the pages begin on a page border after it. */
function place(size: number, bits: number, headerSize: number): Pick<BodyHead, 'bitmap' | 'firstPage'> {
  const bitmap = { offset: headerSize + size, length: Math.ceil(bits / 8) };
  return { bitmap, firstPage: alignUp(bitmap.offset + bitmap.length, PAGE) };
}
