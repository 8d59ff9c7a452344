/** `!pool`: the block that holds an address, and its neighbours on the page. */

import { printable } from '../../../parsers/text-safety.js';
import type { DumpPart } from '../../analysis/dump-part.js';
import type { BlockPage, FoundBlock } from '../../analysis/pool/find-blocks.js';
import type { TagLists, View } from '../view.js';
import { debuggerNumber, noAddress, typedAddress } from '../words.js';
import { blockRecord, coverageRecord, coverageText, pointerText, poolText } from './block-lines.js';

export interface PoolWanted {
  readonly address: bigint;
  /** Only the block that holds it. */
  readonly alone?: boolean | undefined;
}

interface PageFound extends DumpPart {
  readonly page: BlockPage;
  /** What lists of tags say of the block that holds the address; null where they know nothing, or no block does. */
  readonly known: { readonly description: string | null; readonly binary: string | null } | null;
  readonly wide: boolean;
}

function poolRow(block: FoundBlock, isOwn: boolean, wide: boolean): string {
  const mark = isOwn ? '*' : ' ';
  const state = block.state === 'allocated' || block.state === 'own' ? '(Allocated)' : '(Free)     ';
  const hex = (bytes: number): string => bytes.toString(16).padStart(4);
  return `${mark}${pointerText(block.address, wide)} size: ${hex(block.size)} previous size: ${hex(block.previousSize)}  ${state} ${isOwn ? '*' : ' '}${printable(block.tag)}\n`;
}

/** The look of `!pool`. */
function text({ page, known, wide }: PageFound, { address, alone }: PoolWanted): string {
  const { own, blocks } = page;
  const first = blocks[0];
  if (first === undefined) {
    const shown = pointerText(address - (address & 0xfffn), wide);
    return `Pool page ${pointerText(address, wide)} region is Unknown\n${shown} is not valid pool. Checking for freed (or corrupt) pool\n${coverageText(page.coverage)}`;
  }
  const lines = [`Pool page ${pointerText(address, wide)} region is ${poolText((own ?? first).paged)}\n`];
  for (const block of alone === true && own !== null ? [own] : blocks) {
    const isOwn = block === own;
    lines.push(
      block.kind === 'bigpage'
        ? `*${pointerText(block.address, wide)} : large page allocation, tag is ${printable(block.tag)}, size is 0x${block.size.toString(16)} bytes\n`
        : poolRow(block, isOwn, wide),
    );
    if (!isOwn) continue;
    lines.push(
      known === null
        ? '\t\tOwning component : Unknown (update pooltag.txt)\n'
        : `\t\tPooltag ${printable(block.tag)} : ${printable(known.description ?? '')}${known.binary === null ? '' : `, Binary : ${printable(known.binary)}`}\n`,
    );
    if (block.state === 'cached') lines.push('\t\tFreed, but kept by the allocator\n');
  }
  return lines.join('');
}

/** Of `!pool`'s flags: only the marked row. */
const ALONE = 2;

export const pool: View<PoolWanted, PageFound> = {
  command: '!pool',
  shell: 'pool MEMORY.DMP',
  words: ([word, flagsWord = '0', ...more]) => {
    const flags = debuggerNumber(flagsWord);
    if (word === undefined || more.length > 0 || (flags !== 0 && flags !== ALONE)) {
      return { error: 'of !pool there are !pool ADDRESS, and !pool ADDRESS 2 for its block alone' };
    }
    const address = typedAddress(word);
    return address === null ? { error: noAddress(word) } : { address, alone: flags === ALONE };
  },
  read: async ({ opened, lists }, { address }) => {
    const { blocksAt, walkablePool } = await import('../../analysis/pool/find-blocks.js');
    const { pool: walkable, wide, about } = walkablePool(opened);
    const page = blocksAt(walkable, address);
    return { ...about, page, known: page.own === null ? null : await describe(page.own.tag, lists), wide };
  },
  text,
  json: ({ schemaVersion, dump, system, page, warnings }) => {
    const { own, blocks, coverage } = page;
    const found = {
      own: own === null ? null : blockRecord(own),
      blocks: blocks.map(blockRecord),
      coverage: coverageRecord(coverage),
    };
    return { schemaVersion, dump, system, pool: found, warnings };
  },
};

async function describe(tag: string, lists: TagLists | undefined): Promise<PageFound['known']> {
  const { TagDescriptions } = await import('../../kernel/pool/tag-descriptions.js');
  const { description, binary } = (lists?.descriptions ?? new TagDescriptions()).describe(tag);
  return description === null && binary === null ? null : { description, binary };
}
