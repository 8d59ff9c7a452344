/** `!pool`: the block that holds an address, and its neighbours on the page. */

import { plus, virtual } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
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
  /** With the first words of what each holds. */
  readonly contents?: boolean | undefined;
  /** Without what lists of tags say. */
  readonly bare?: boolean | undefined;
}

/** Words of 32 bits that are shown of a block; null for one whose page is missing. */
interface Contents {
  readonly address: bigint;
  readonly words: readonly (number | null)[];
}

interface PageFound extends DumpPart {
  readonly page: BlockPage;
  /** What lists of tags say of the block that holds the address; null where they know nothing, or no block does. */
  readonly known: { readonly description: string | null; readonly binary: string | null } | null;
  readonly wide: boolean;
  /** By the address of the block; left out where it was not asked for. */
  readonly contents?: ReadonlyMap<bigint, Contents> | undefined;
}

/** Rows of contents, and the words of one. */
const ROWS = 2;
const WORDS = 4;

function poolRow(block: FoundBlock, isOwn: boolean, wide: boolean): string {
  const mark = isOwn ? '*' : ' ';
  const state = block.state === 'allocated' || block.state === 'own' ? '(Allocated)' : '(Free)     ';
  const hex = (bytes: number): string => bytes.toString(16).padStart(4);
  return `${mark}${pointerText(block.address, wide)} size: ${hex(block.size)} previous size: ${hex(block.previousSize)}  ${state} ${isOwn ? '*' : ' '}${printable(block.tag)}\n`;
}

/** What a block holds, two rows and an empty line, the second row set in as the debugger does. */
function contentRows({ address, words }: Contents, wide: boolean): string {
  const rows = Array.from({ length: ROWS }, (_, i) => {
    const shown = words
      .slice(i * WORDS, (i + 1) * WORDS)
      .map((word) => (word === null ? '????????' : word.toString(16).padStart(8, '0')));
    return `${i === 0 ? ' ' : '    '}${pointerText(address + BigInt(i * WORDS * 4), wide)}  ${shown.join(' ')}\n`;
  });
  return `${rows.join('')}\n`;
}

/** The look of `!pool`. */
function text({ page, known, wide, contents }: PageFound, { address, alone, bare }: PoolWanted): string {
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
    if (isOwn && bare !== true) {
      lines.push(
        known === null
          ? '\t\tOwning component : Unknown (update pooltag.txt)\n'
          : `\t\tPooltag ${printable(block.tag)} : ${printable(known.description ?? '')}${known.binary === null ? '' : `, Binary : ${printable(known.binary)}`}\n`,
      );
    }
    if (isOwn && block.state === 'cached') lines.push('\t\tFreed, but kept by the allocator\n');
    const held = contents?.get(block.address);
    if (held !== undefined) lines.push(contentRows(held, wide));
  }
  return lines.join('');
}

/** Of `!pool`'s flags: what blocks hold, only the marked row, nothing from lists of tags. */
const CONTENTS = 1;
const ALONE = 2;
const BARE = 0x8000_0000;

export const pool: View<PoolWanted, PageFound> = {
  command: '!pool',
  shell: 'pool MEMORY.DMP',
  words: ([word, flagsWord = '0', ...more]) => {
    const flags = debuggerNumber(flagsWord);
    const bits = (flags ?? 0) % BARE;
    if (word === undefined || more.length > 0 || flags === null || bits > (CONTENTS | ALONE)) {
      return { error: 'of !pool there is !pool ADDRESS, with flags of 1 (contents), 2 (its block alone) and 80000000' };
    }
    const address = typedAddress(word);
    if (address === null) return { error: noAddress(word) };
    return { address, alone: (bits & ALONE) !== 0, contents: (bits & CONTENTS) !== 0, bare: flags >= BARE };
  },
  read: async ({ opened, lists }, { address, contents: wantsContents }) => {
    const { blocksAt, walkablePool } = await import('../../analysis/pool/find-blocks.js');
    const { pool: walkable, wide, about } = walkablePool(opened);
    const page = blocksAt(walkable, address);
    const known = page.own === null ? null : await describe(page.own.tag, lists);
    if (wantsContents !== true) return { ...about, page, known, wide };
    const { memory } = opened.kernel;
    const word = (at: bigint): number | null => {
      const value = memory?.readU32(virtual(at)) ?? null;
      return value === null || failed(value) ? null : value;
    };
    const contentsOf = (block: FoundBlock): Contents => {
      const header = block.kind === 'bigpage' ? 0 : (walkable.header?.size ?? 0);
      const start = plus(virtual(block.address), header);
      return { address: start, words: Array.from({ length: ROWS * WORDS }, (_, i) => word(start + BigInt(i * 4))) };
    };
    const contents = new Map(page.blocks.map((block) => [block.address, contentsOf(block)]));
    return { ...about, page, known, wide, contents };
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
