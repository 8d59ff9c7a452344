/**
 * The form of the records in a pool tag table, where only a neighbouring build tells it: held against the table itself. In the right form the
 * tags stand where their hash says; in any other form hardly one does.
 */

import type { VirtualAddress } from '../../../parsers/addresses.js';
import type { StructLayout } from '../../../parsers/kernel/layout.js';
import { trackerRecord, type TrackerRecord } from '../../../parsers/kernel/pool-tracker.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import type { FigureSource, KernelSymbols } from '../../../symbols/kernel-symbols.js';
import { nearestLayout } from '../../../symbols/nearest.js';
import { inferTableSize, type InferredSize } from './pool-table-size.js';

/** Builds with each of the forms that are known, the newest last (reference: kernel-structures 5.2). */
const FORMS = { x64: [3790, 17134, 22621], x86: [2600, 17134] } as const;
/** Records grew at their end: longer ones than the newest that are tried, in steps of a pointer. */
const LONGER = 6;

/** The form to use. */
export interface RecordLayout {
  readonly record: TrackerRecord;
  readonly source: FigureSource;
  /** How many slots the table has by this form, where that was looked at. */
  readonly size: InferredSize | null;
  /** What to say of a form that is not the one expected, or null. */
  readonly note: string | null;
}

/** The form of the records at `table`; null where none is known and none fits alone. */
export function recordLayout(
  memory: VirtualMemory,
  symbols: KernelSymbols,
  table: VirtualAddress,
): RecordLayout | null {
  const known = symbols.layout('_POOL_TRACKER_TABLE');
  const record = known === null ? null : trackerRecord(known.value);
  if (known !== null && record !== null) {
    if (known.source !== 'nearest') return { record, source: known.source, size: null, note: null };
    const size = inferTableSize(memory, table, record);
    if (size?.by === 'hash') return { record, source: known.source, size, note: null };
  }
  const fitting = [otherForms, longerForms]
    .map((forms) => forms(memory.pointerSize).flatMap((layout) => fit(memory, table, layout)))
    .find((found) => found.length > 0);
  const [only] = fitting ?? [];
  if (only !== undefined && fitting?.length === 1) {
    const expected = record === null ? '' : `, not of ${record.size} as in the nearest known build`;
    return {
      ...only,
      source: 'scan',
      note: `the records of the pool tag table are taken to be of ${only.record.size} bytes${expected}: only so do its tags stand where their hash says`,
    };
  }
  // Kernels before 3790 hash otherwise, and few tags prove nothing: what the nearest build has stands.
  return known === null || record === null ? null : { record, source: known.source, size: null, note: null };
}

function fit(
  memory: VirtualMemory,
  table: VirtualAddress,
  layout: StructLayout,
): { record: TrackerRecord; size: InferredSize }[] {
  const record = trackerRecord(layout);
  const size = record === null ? null : inferTableSize(memory, table, record);
  return record !== null && size?.by === 'hash' ? [{ record, size }] : [];
}

function otherForms(pointerSize: 4 | 8): StructLayout[] {
  const architecture = pointerSize === 8 ? 'x64' : 'x86';
  return FORMS[architecture].flatMap(
    (build) => nearestLayout('_POOL_TRACKER_TABLE', build, null, null, architecture)?.layout ?? [],
  );
}

function longerForms(pointerSize: 4 | 8): StructLayout[] {
  const newest = otherForms(pointerSize).at(-1);
  if (newest === undefined) return [];
  return Array.from({ length: LONGER }, (_, i) => ({ ...newest, size: newest.size + (i + 1) * pointerSize }));
}
