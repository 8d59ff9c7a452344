/**
 * Structures in the blocks of a tag, written from the reference, and decoys: what looks like one at the first glance and is
 * none. `i` is the number of the block; decoys take turns in what is wrong with them.
 */

import type { Va } from '../../bytes.js';
import type { ThingSpec } from '../spec.js';
import type { Cell } from './cell.js';
import type { Targets } from './targets.js';

const PAGE = 0x1000;
const USER_PAGE = 0x7ff1_2000;

/** What a writer knows besides its block. */
export interface ThingPlace {
  readonly spec: ThingSpec;
  readonly tag: string;
  readonly targets: Targets;
  readonly i: number;
  /** A block of tag `FMfl` that is the filter of the driver. */
  readonly filter: Va;
  /** The same of another tag. */
  readonly noFilter: Va;
}

/** Writes a thing where it has room; false where it has not. */
type Writer = (cell: Cell, place: ThingPlace) => boolean;

const irp: Writer = (cell, { spec, targets, i }) => {
  const [head, location] = [cell.pick(0xd0, 0x70), cell.pick(0x48, 0x24)];
  const stack = Math.min(8, Math.floor((cell.room - head) / location));
  if (stack < 1) return false;
  cell.zero(head + stack * location);
  cell.u16(0, 6);
  cell.u16(2, head + stack * location + (spec.decoy === true ? 5 : 0));
  cell.u8(cell.pick(0x42, 0x22), stack);
  cell.u8(cell.pick(0x43, 0x23), stack);
  const at = head + (stack - 1) * location;
  cell.pointer(at + cell.pick(0x28, 0x14), targets.device(spec.module));
  cell.pointer(at + cell.pick(0x38, 0x1c), targets.baseOf(spec.module) + (spec.rva ?? 0x1100));
  const process = targets.processes[1];
  if (process !== undefined && i % 2 === 0) cell.pointer(cell.pick(0x98, 0x50), targets.thread(process));
  return true;
};

const mdl: Writer = (cell, { spec, targets, i }) => {
  const head = cell.pick(0x30, 0x1c);
  const pages = Math.min(8, Math.floor((cell.room - head) / cell.width));
  if (pages < 1) return false;
  const { va, frames } = targets.pages();
  cell.zero(head + pages * cell.width);
  const wrong = spec.decoy === true ? i % 3 : -1;
  cell.u16(cell.width, head + pages * cell.width + (wrong === 0 ? cell.width : 0));
  cell.u32(cell.pick(0x28, 0x14), pages * PAGE - 0x60);
  cell.u32(cell.pick(0x2c, 0x18), 0x20);
  const locked = i % 2 === 1 && wrong < 0;
  cell.u16(cell.width + 2, locked ? 2 : 4);
  cell.pointer(cell.pick(0x20, 0x10), locked ? USER_PAGE : va);
  // A mapping with another offset in the page; frames that page tables do not agree with.
  if (!locked) cell.pointer(cell.pick(0x18, 0xc), va + (wrong === 1 ? 0x40 : 0x20));
  for (let p = 0; p < pages; p++)
    cell.pointer(head + p * cell.width, locked ? 0x100 + p : (frames[wrong === 2 ? 15 - p : p] ?? 0));
  if (locked) cell.pointer(cell.pick(0x10, 8), targets.processes[1] ?? 0);
  return true;
};

const file: Writer = (cell, { spec, targets, i }) => {
  const [size, at] = [cell.pick(0xd8, 0x80), cell.pick(0x50, 0x30)];
  if (cell.room < size + at) return false;
  cell.zero(size + at);
  cell.u16(at, 5);
  const wrong = spec.decoy === true ? i % 2 : -1;
  cell.u16(at + 2, size + (wrong === 0 ? 8 : 0));
  cell.pointer(at + cell.pick(8, 4), wrong === 1 ? targets.falseDevice() : targets.device(spec.module));
  cell.u32(at + cell.pick(0x50, 0x2c), i % 4 === 0 ? 0x4_0000 : 0x4_4000);
  return true;
};

const token: Writer = (cell, { spec, targets, i }) => {
  const { build } = targets;
  const at = cell.pick(0x40, 0x30);
  const eight = build >= 9200;
  const end = eight ? cell.pick(0xe0, 0xc4) : cell.pick(0xd8, 0xc0);
  if (cell.room < at + end) return false;
  cell.zero(at + end);
  const id = 0x4_2000 + (i % 3);
  cell.ascii(at, 'Advapi');
  cell.u64(at + 0x10, 0x5000 + i);
  cell.u64(at + 0x18, spec.decoy === true ? id + 0x1000 : id);
  cell.u32(at + (eight ? 0x78 : 0x74), 1);
  cell.u32(at + (eight ? cell.pick(0xc0, 0xa8) : cell.pick(0xb8, 0xa4)), 2);
  cell.pointer(
    at + (eight ? cell.pick(0xd8, 0xc0) : cell.pick(0xd0, 0xbc)),
    targets.session(spec.account ?? 'CONTOSO\\svc', id),
  );
  return true;
};

const logonSession: Writer = (cell, { spec, targets, i }) => {
  if (cell.room < cell.pick(0x60, 0x40)) return false;
  cell.zero(cell.pick(0x60, 0x40));
  const id = 0x9000 + i;
  targets.fillSession(
    spec.account ?? 'CONTOSO\\svc',
    id,
    (offset, text) => {
      cell.u16(offset, text.length * 2);
      cell.u16(offset + 2, text.length * 2 + 2);
      cell.pointer(offset + cell.width, targets.text(spec.decoy === true ? '\u0001\u0002'.repeat(text.length) : text));
    },
    {
      u32: (offset, value) => {
        cell.u32(offset, value);
      },
    },
  );
  return true;
};

const filterContext: Writer = (cell, { spec, targets, i, filter, noFilter }) => {
  if (cell.room < 0x20) return false;
  cell.zero(0x18);
  const to = spec.decoy === true ? noFilter : filter;
  if (i % 2 === 0) cell.pointer(0, to);
  else {
    // Through the registration of the context.
    const registration = targets.allocate(0x20);
    targets.pointerAt(registration, to);
    cell.pointer(0, registration);
  }
  return true;
};

const workItem: Writer = (cell, { spec, targets, i }) => {
  const size = workItemSize(targets);
  if (cell.room < size) return false;
  cell.zero(size);
  const isAlone = cell.whole < size + 2 * cell.width;
  const wrong = spec.decoy === true ? i % 3 : -1;
  const worker = targets.kernelCode;
  if (!isAlone || i % 2 === 0 || wrong === 2) {
    cell.pointer(cell.pick(0x10, 8), worker);
    cell.pointer(cell.pick(0x18, 0xc), cell.va + (wrong === 2 ? 0x40 : 0));
  }
  // A routine in data; a device without a driver; a parameter that is another item.
  cell.pointer(cell.pick(0x20, 0x10), targets.baseOf(spec.module) + (wrong === 0 ? 0x100 : (spec.rva ?? 0x1f40)));
  cell.pointer(cell.pick(0x28, 0x14), wrong === 1 ? targets.falseDevice() : targets.device(spec.module));
  return wrong !== 2 || !isAlone;
};

/** Bytes of `_IO_WORKITEM`. */
function workItemSize({ build, wide }: Targets): number {
  if (build >= 10240) return wide ? 0x58 : 0x34;
  if (build >= 9200) return wide ? 0x50 : 0x30;
  return wide ? 0x40 : 0x20;
}

const wdfObject: Writer = (cell, { spec, tag, targets, i }) => {
  const at = cell.pick(0x10, 8);
  const [children, size] = [cell.pick(0x20, 0x14), cell.pick(0x78, 0x40)];
  if (cell.room < at + size) return false;
  cell.zero(at + size);
  const wrong = spec.decoy === true ? i % 3 : -1;
  cell.pointer(at, wrong === 0 ? cell.va : targets.functions('wdf01000.sys'));
  cell.u16(at + cell.pick(8, 4), 0x1008);
  cell.u16(at + cell.pick(0xa, 6), size);
  cell.u32(at + cell.pick(0xc, 8), 1);
  const stem = spec.module.replace(/\..*$/, '');
  cell.pointer(at + cell.pick(0x10, 0xc), targets.frameworkGlobals(stem, wrong === 1 ? 'Nope' : tag));
  const head = cell.va + at + children;
  cell.pointer(at + children, wrong === 2 ? head + 0x10 : head);
  cell.pointer(at + children + cell.width, head);
  return true;
};

const netBufferList: Writer = (cell, { spec, targets, i }) => {
  if (cell.room < cell.pick(0xa0, 0x60)) return false;
  cell.zero(cell.pick(0xa0, 0x60));
  // More data than its pages hold.
  cell.pointer(cell.pick(8, 4), targets.netBuffer(1500, spec.decoy === true ? 9000 : 1400 + (i % 50)));
  cell.pointer(cell.pick(0x20, 0x10), targets.pages().va);
  return true;
};

const WRITERS: Readonly<Record<ThingSpec['is'], Writer>> = {
  irp,
  mdl,
  file,
  token,
  'logon-session': logonSession,
  'filter-context': filterContext,
  'work-item': workItem,
  'wdf-object': wdfObject,
  'net-buffer-list': netBufferList,
};

/** Writes what a specification says into a block; false where it has no room for it. */
export function writeThing(cell: Cell, place: ThingPlace): boolean {
  return WRITERS[place.spec.is](cell, place);
}
