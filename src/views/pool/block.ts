/** What stands in the block that holds an address, in the look of `dps`. */

import { hex } from '../../../parsers/bytes/failure.js';
import { printable } from '../../../parsers/text-safety.js';
import type { DumpPart } from '../../analysis/dump-part.js';
import type { ContentWord, FoundBlock } from '../../analysis/pool/find-blocks.js';
import type { PoolCoverage } from '../../kernel/pool/blocks/pool-blocks.js';
import { debuggerAddress, thousands } from '../print/format.js';
import type { View } from '../view.js';
import { noAddress, typedAddress } from '../words.js';
import { blockRecord, coverageText, pointerText, poolText } from './block-lines.js';

interface BlockWanted {
  readonly address: bigint;
  /** Bytes that are shown at most. */
  readonly bytes?: number | undefined;
}

const USUAL_BYTES = 0x200;

interface BlockFound extends DumpPart {
  /** Null where no block holds the address. */
  readonly block: FoundBlock | null;
  readonly words: readonly ContentWord[];
  readonly coverage: PoolCoverage;
  readonly wide: boolean;
}

function text({ block, words, coverage, wide }: BlockFound): string {
  if (block === null) return `No block holds this address.\n${coverageText(coverage)}`;
  const head = `${printable(block.tag)} at ${pointerText(block.address, wide)}: ${thousands(block.size)} bytes, ${poolText(block.paged).toLowerCase()}, ${block.state} (${block.kind})\n\n`;
  const lines = words.map(({ address, value, meaning }) => {
    const shown = value === null ? '????????`????????'.slice(0, wide ? 17 : 8) : debuggerAddress(value, wide);
    return `${debuggerAddress(address, wide)}  ${shown}${meaning === null ? '' : ` ${printable(meaning)}`}\n`;
  });
  return head + lines.join('');
}

/** A word of a block. */
function wordRecord({ address, value, meaning }: ContentWord): object {
  return { address: hex(address), value: value === null ? null : hex(value), meaning };
}

export const block: View<BlockWanted, BlockFound> = {
  command: 'block',
  shell: 'block MEMORY.DMP',
  words: ([word, ...more]) => {
    if (word === undefined || more.length > 0) return { error: 'block wants an address' };
    const address = typedAddress(word);
    return address === null ? { error: noAddress(word) } : { address };
  },
  read: async ({ opened }, { address, bytes = USUAL_BYTES }) => {
    const { blocksAt, blockWords, walkablePool } = await import('../../analysis/pool/find-blocks.js');
    const { pool, wide, about } = walkablePool(opened);
    const { own, coverage } = blocksAt(pool, address);
    const words = own === null ? [] : blockWords(opened.kernel, pool, own, bytes);
    return { ...about, block: own, words, coverage, wide };
  },
  text,
  json: ({ schemaVersion, dump, system, block: found, words, warnings }) => {
    const record = found === null ? null : { ...blockRecord(found), words: words.map(wordRecord) };
    return { schemaVersion, dump, system, block: record, warnings };
  },
};
