/** What stands in the blocks of a tag: pointers into modules, text, links, packets. */

import { putU16, putU32, putVa, tagKey, utf16, type Va } from '../bytes.js';
import type { Prng } from '../prng.js';
import type { MemoryImage, TrueBlock } from './image.js';
import type { BlockContentSpec } from './spec.js';

const PAGE = 0x1000;

/** Writes `spec` into every live block of its tag that has room for it. `headerBytes`: of the pool header of small blocks. */
export function writeContents(
  image: MemoryImage,
  blocks: readonly TrueBlock[],
  spec: BlockContentSpec,
  headerBytes: number,
  baseOf: (module: string) => Va,
  random: Prng,
): void {
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
      if (room(block, offset + 8) && random.chance(share ?? 1)) pointer(data + offset, baseOf(module) + rva);
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
  const { list } = spec;
  if (list === undefined) return;
  const linked = of.filter((block) => room(block, list + 16));
  linked.forEach((block, i) => {
    const [after, before] = [linked[(i + 1) % linked.length] ?? block, linked.at(i - 1) ?? block];
    pointer(dataOf(block) + list, dataOf(after) + list);
    pointer(dataOf(block) + list + (wide ? 8 : 4), dataOf(before) + list);
  });
}
