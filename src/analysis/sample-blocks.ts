/** What the blocks of suspect tags tell: contents and who was billed, from a sample of a kernel's pools. */

import { heapAddress, type HeapAddress } from '../../parsers/heap/memory.js';
import { exportsOf } from '../code/image/exports.js';
import { billedTo } from '../kernel/pool/blocks/billing.js';
import { poolBlocksOf } from '../kernel/pool/blocks/pool-blocks.js';
import { sampleBlocks, type WantedTag } from '../kernel/pool/blocks/sample.js';
import type { AddressNames } from '../kernel/pool/blocks/address-names.js';
import { summarize } from '../kernel/pool/blocks/summarize.js';
import type { LoadedModule } from '../kernel/modules/modules.js';
import type { Kernel } from '../kernel/open/open-kernel.js';
import type { SampledBlocks } from '../leak/facts.js';
import type { Warning } from '../result/result.js';

export interface SamplingOptions {
  /** Walk the whole pool instead of as much as costs little. */
  readonly deep?: boolean | undefined;
  readonly progress?: ((done: number, total: number) => void) | undefined;
}

/** Looks at the blocks of some tags. Of a tag without blocks nothing is known; warnings tell what a sample lacks. */
export function sampleTags(
  kernel: Kernel,
  modules: readonly LoadedModule[],
  wanted: readonly WantedTag[],
  options: SamplingOptions = {},
): { blocks: readonly SampledBlocks[]; warnings: readonly Warning[] } {
  const { blocks, warnings } = poolBlocksOf(kernel);
  const nothing = wanted.map((): SampledBlocks => ({ contents: null, billed: null }));
  if (kernel.memory === null || blocks === null) return { blocks: nothing, warnings: [] };
  // Where the dump has neither heaps, pages nor rows, contents are unknown, and that is no news.
  if (blocks.form === 'none' && (blocks.bigPages?.counts.used ?? 0) === 0) return { blocks: nothing, warnings: [] };
  const { memory } = kernel;
  const sample = sampleBlocks(blocks, memory, wanted, options);
  const names = addressNames(modules, memory.pointerSize);
  const billed = billedTo(kernel, sample);
  return {
    blocks: sample.tags.map((tag, i) => ({
      contents: tag.seen === 0 ? null : summarize(tag, memory, names, blocks.header?.size ?? 0),
      billed: billed[i] ?? null,
    })),
    warnings,
  };
}

/** Names of the modules that are loaded, by address. */
export function addressNames(modules: readonly LoadedModule[], pointerSize: 4 | 8): AddressNames {
  const sorted = modules
    .filter(({ sizeOfImage }) => sizeOfImage > 0)
    .map(({ name, base, sizeOfImage }) => {
      const start = heapAddress(base, pointerSize);
      return { name, base: start, end: start + sizeOfImage };
    })
    .sort((a, b) => a.base - b.base);
  const exported = exportsOf(modules);
  return {
    moduleAt(address: HeapAddress) {
      let [low, high] = [0, sorted.length];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((sorted[middle]?.base ?? 0) <= address) low = middle + 1;
        else high = middle;
      }
      const found = sorted[low - 1];
      return found !== undefined && address < found.end ? found : null;
    },
    exportAt: (address) => exported.nameAt(address),
  };
}
