/** `!poolval`: whether the blocks of a pool page hold together. */

import type { DumpPart } from '../../analysis/dump-part.js';
import { printable } from '../../../parsers/text-safety.js';
import type { BlockPage, FoundBlock } from '../../analysis/pool/find-blocks.js';
import type { View } from '../view.js';
import { noAddress, typedAddress } from '../words.js';
import { blockRecord, coverageRecord, coverageText, pointerText, poolText } from './block-lines.js';

interface Wanted {
  readonly address: bigint;
  /** 0 to 3: from 2 on with the headers, at 3 with what stands in them. */
  readonly level?: number | undefined;
}

type PageFound = DumpPart & { readonly page: BlockPage; readonly wide: boolean };

/** From this level on headers are shown, and all of them from the next. */
const HEADERS = 2;
const WHOLE_HEADERS = 3;

/** Headers as the walk read them. The debugger's look of them is not known. */
function headerRows(blocks: readonly FoundBlock[], level: number, wide: boolean): string[] {
  if (level < HEADERS) return [];
  return [
    'Headers:',
    ...blocks.flatMap((block) => {
      const row = `${pointerText(block.address, wide)} size: ${block.size.toString(16).padStart(4)} previous size: ${block.previousSize.toString(16).padStart(4)}  ${printable(block.tag)}`;
      if (level < WHOLE_HEADERS) return [row];
      return [
        row,
        `    PoolTag ${block.key.toString(16).padStart(8, '0')}  ${poolText(block.paged)}  State ${block.state}  Kind ${block.kind}`,
      ];
    }),
    '',
  ];
}

function text({ page, wide }: PageFound, { address, level = 0 }: Wanted): string {
  const { blocks, coverage } = page;
  const start = address - (address & 0xfffn);
  const at = pointerText(start, wide);
  const first = blocks[0];
  const wrong: string[] = [];
  let before = 0;
  let place = start;
  for (const block of blocks.filter(({ kind }) => kind === 'pool')) {
    if (block.address !== place)
      wrong.push(`[ ${pointerText(place, wide)} ]: no block up to ${pointerText(block.address, wide)}`);
    else if (block.previousSize !== before) {
      wrong.push(
        `[ ${pointerText(block.address, wide)} ]: invalid previous size [ 0x${block.previousSize.toString(16)} ] should be [ 0x${before.toString(16)} ]`,
      );
    }
    before = block.size;
    place = block.address + BigInt(block.size);
  }
  if (first?.kind === 'pool' && place !== start + 0x1000n)
    wrong.push(`[ ${pointerText(place, wide)} ]: no block up to the end of the page`);
  const isValid = first !== undefined && wrong.length === 0;
  return [
    `Pool page ${pointerText(address, wide)} region is ${first === undefined ? 'Unknown' : poolText(first.paged)}`,
    '',
    `Validating Pool headers for pool page: ${pointerText(address, wide)}`,
    '',
    `Pool page [ ${at} ] is ${isValid ? 'VALID' : 'INVALID'}.`,
    '',
    'Analyzing linked list...',
    ...wrong,
    '',
    '',
    ...headerRows(blocks, level, wide),
    coverageText(coverage),
  ].join('\n');
}

export const poolVal: View<Wanted, PageFound> = {
  command: '!poolval',
  shell: 'poolval MEMORY.DMP',
  words: ([word, level = '0', ...more]) => {
    if (word === undefined || more.length > 0 || !/^[0-3]$/.test(level)) {
      return {
        error: 'of !poolval there is !poolval ADDRESS, with a level from 0 to 3',
      };
    }
    const address = typedAddress(word);
    return address === null ? { error: noAddress(word) } : { address, level: Number(level) };
  },
  read: async ({ opened }, { address }) => {
    const { blocksAt, walkablePool } = await import('../../analysis/pool/find-blocks.js');
    const { pool, wide, about } = walkablePool(opened);
    return { ...about, page: blocksAt(pool, address), wide };
  },
  text,
  json: ({ schemaVersion, dump, system, page: { blocks, coverage }, warnings }) => {
    const poolval = { blocks: blocks.map(blockRecord), coverage: coverageRecord(coverage) };
    return { schemaVersion, dump, system, poolval, warnings };
  },
};
