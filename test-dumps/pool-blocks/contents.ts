/** What stands in the blocks of a tag: pointers into modules, text, links, packets. */

import { putU16, putU32, putVa, tagKey, utf16, type Va } from '../bytes.js';
import type { Prng } from '../prng.js';
import type { MemoryImage, TrueBlock } from './image.js';
import type { BlockContentSpec, ThingSpec } from './spec.js';
import { Cell } from './things/cell.js';
import type { Targets } from './things/targets.js';
import { writeThing } from './things/things.js';

const PAGE = 0x1000;

/** Writes `spec` into every live block of its tag that has room for it; gives the data of those that a thing is in. `headerBytes`: of the pool header of small blocks. */
export function writeContents(
  image: MemoryImage,
  blocks: readonly TrueBlock[],
  spec: BlockContentSpec,
  headerBytes: number,
  targets: Targets,
  random: Prng,
): readonly Va[] {
  const wide = image.pointerSize === 8;
  const dataOf = (block: TrueBlock): Va => block.va + (block.kind === 'bigpage' ? 0 : headerBytes);
  const of = blocks.filter((b) => b.tag === tagKey(spec.tag) && b.state === 'live' && image.page(b.va) !== null);
  const room = (block: TrueBlock, end: number): boolean => block.va + block.size - dataOf(block) >= end + 4;
  const pointer = (at: Va, target: Va): void => {
    const page = image.page(at);
    if (page === null) return;
    if (wide) putVa(page, at % PAGE, target);
    else putU32(page, at % PAGE, target);
  };
  for (const block of of) {
    const data = dataOf(block);
    for (const { offset, module, rva, share } of spec.pointers ?? []) {
      if (room(block, offset + 8) && random.chance(share ?? 1)) pointer(data + offset, targets.baseOf(module) + rva);
    }
    if (spec.text !== undefined) {
      const bytes = utf16(`${spec.text.text}\0`);
      const at = data + spec.text.offset;
      const page = image.page(at);
      if (page !== null && room(block, spec.text.offset + bytes.length) && (at % PAGE) + bytes.length <= PAGE)
        page.set(bytes, at % PAGE);
    }
    if (spec.irp === true && room(block, wide ? 0xd0 : 0x70)) {
      const page = image.page(data);
      if (page === null || (data % PAGE) + 4 > PAGE) continue;
      const bytes = block.va + block.size - data;
      const stack = Math.floor((bytes - (wide ? 0xd0 : 0x70)) / (wide ? 0x48 : 0x24));
      putU16(page, data % PAGE, 6);
      putU16(page, (data % PAGE) + 2, (wide ? 0xd0 : 0x70) + stack * (wide ? 0x48 : 0x24));
    }
  }
  const things = spec.thing === undefined ? [] : writeThings(image, of, spec, spec.thing, headerBytes, targets, blocks);
  const { list } = spec;
  if (list === undefined) return things;
  const linked = of.filter((block) => room(block, list + 16));
  linked.forEach((block, i) => {
    const [after, before] = [linked[(i + 1) % linked.length] ?? block, linked.at(i - 1) ?? block];
    pointer(dataOf(block) + list, dataOf(after) + list);
    pointer(dataOf(block) + list + (wide ? 8 : 4), dataOf(before) + list);
  });
  return things;
}

/** Blocks of small pool that are a filter: long enough for what a filter has in front of its driver object. */
const FILTER_TAG = 'FMfl';
const FILTER_BYTES = 0xa0;
const DRIVER_IN_FILTER = 0x78;

function writeThings(
  image: MemoryImage,
  of: readonly TrueBlock[],
  { tag }: BlockContentSpec,
  thing: ThingSpec,
  headerBytes: number,
  targets: Targets,
  all: readonly TrueBlock[],
): Va[] {
  const cellOf = (block: TrueBlock): Cell | null => {
    const va = block.va + (block.kind === 'bigpage' ? 0 : headerBytes);
    const page = image.page(va);
    // What was not asked for, and who was billed, stand at the end.
    const end = block.va + (block.requested ?? block.size) - (image.pointerSize === 4 && block.billed !== null ? 4 : 0);
    if (page === null || block.kind === 'bigpage' || block.va + block.size > va - (va % PAGE) + PAGE) return null;
    return new Cell(page, va % PAGE, va, end - va, block.va + block.size - va, image.pointerSize);
  };
  const isRoomy = ({ kind, size, state }: TrueBlock): boolean =>
    kind !== 'bigpage' && state === 'live' && size >= FILTER_BYTES && size < PAGE / 2;
  const filterOf = (isFilter: boolean): Cell | null => {
    const others = all.filter(
      (b) => isRoomy(b) && (b.tag === tagKey(FILTER_TAG)) === isFilter && b.tag !== tagKey(tag),
    );
    const cell = others.map(cellOf).find((one) => one !== null) ?? null;
    cell?.pointer(DRIVER_IN_FILTER, targets.driver(thing.module));
    return cell;
  };
  const needed = thing.is === 'filter-context';
  const [filter, noFilter] = needed ? [filterOf(true)?.va ?? 0, filterOf(false)?.va ?? 0] : [0, 0];
  if (needed && (filter === 0 || noFilter === 0)) throw new Error(`no block of tag ${FILTER_TAG} is there`);
  const written: Va[] = [];
  of.forEach((block, i) => {
    const cell = cellOf(block);
    const isWritten = cell !== null && writeThing(cell, { spec: thing, tag, targets, i, filter, noFilter });
    if (isWritten && thing.decoy !== true) written.push(cell.va);
  });
  return written;
}
