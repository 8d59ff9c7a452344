/** How this kernel writes the entries of handle tables: told by the objects that they lead to. */

import { large, type VirtualAddress } from '../../../../parsers/addresses.js';
import { failed } from '../../../../parsers/bytes/failure.js';
import {
  HANDLE_ENCODINGS,
  HandleBatch,
  type HandleEncoding,
} from '../../../../parsers/kernel/objects/handle-entries.js';
import { kernelDoes } from '../../../../symbols/generations.js';
import { readHandleTable, walkHandleTable, type HandleTable } from './handle-table.js';
import { signedCount } from '../headers.js';
import type { ObjectLayouts } from '../layouts.js';
import { inKernel, type ObjectRoots } from '../roots.js';
import { NO_TYPE, type TypeDecoder } from '../type-decoder.js';

/** Tables and handles that are looked at. */
const TABLES = 8;
const HANDLES = 64;
const MOST_COUNT = 1 << 24;
/** Of the objects that can be read, so many must be objects. */
const ENOUGH = 0.8;

/** The encodings of this pointer size, the likeliest first. */
export function encodingsToTry(roots: ObjectRoots): readonly HandleEncoding[] {
  const all = HANDLE_ENCODINGS[roots.memory.pointerSize];
  const { buildNumber } = roots;
  const likely =
    roots.pagingLevels === 5
      ? 'five-level paging'
      : kernelDoes('packsHandlesAsNow', buildNumber)
        ? '8.1 and later'
        : kernelDoes('packsHandles', buildNumber)
          ? '8.0'
          : 'before 8';
  return all.toSorted((a, b) => Number(b.name.startsWith(likely)) - Number(a.name.startsWith(likely)));
}

/**
 * The encoding by which handles lead to object headers; null where none does. Those of 32-bit kernels differ only in where
 * their stock of references stands: the likeliest is taken.
 */
export function findEncoding(
  roots: ObjectRoots,
  layouts: ObjectLayouts,
  decoder: TypeDecoder,
  tables: readonly VirtualAddress[],
): HandleEncoding | null {
  const { memory } = roots;
  const opened: HandleTable[] = [];
  for (const address of tables) {
    const table = readHandleTable(memory, layouts, address);
    if (!failed(table) && opened.push(table) >= TABLES) break;
  }
  let best: { encoding: HandleEncoding; good: number } | null = null;
  for (const encoding of encodingsToTry(roots)) {
    let good = 0;
    let readable = 0;
    for (const table of opened) {
      const batch = new HandleBatch();
      // Only the first leaves: a bound that is met in the second.
      walkHandleTable(memory, table, encoding, batch, 1024);
      for (let i = 0; i < Math.min(batch.count, HANDLES); i++) {
        const verdict = isObject(roots, decoder, batch.header[i] ?? 0);
        if (verdict === null) continue;
        readable++;
        if (verdict) good++;
      }
    }
    if (good > 0 && good >= readable * ENOUGH && good > (best?.good ?? 0)) best = { encoding, good };
  }
  return best?.encoding ?? null;
}

/** Whether an object's header stands at an address; null where it cannot be read, false where it cannot be. */
function isObject(roots: ObjectRoots, decoder: TypeDecoder, header: number): boolean | null {
  const address = large(header);
  if (!inKernel(roots, address)) return false;
  const bytes = roots.memory.read(address, decoder.shape.size);
  if (failed(bytes)) return bytes.code === 'bad-address' ? false : null;
  const { shape } = decoder;
  const pointerCount = signedCount(bytes, shape.pointerCount, shape.pointerSize);
  const handleCount = signedCount(bytes, shape.handleCount, shape.pointerSize);
  return (
    pointerCount > 0 && handleCount > 0 && handleCount < MOST_COUNT && decoder.typeOf(bytes, 0, header) !== NO_TYPE
  );
}
