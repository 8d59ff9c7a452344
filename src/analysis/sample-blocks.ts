/** What the blocks of suspect tags tell: contents and who was billed, from a sample of a kernel's pools. */

import { heapAddress, type HeapAddress } from '../../parsers/heap/memory.js';
import { exportsOf } from '../code/image/exports.js';
import { billedTo } from '../kernel/pool/blocks/billing.js';
import { poolBlocksOf } from '../kernel/pool/blocks/pool-blocks.js';
import { sampleBlocks, type WantedTag } from '../kernel/pool/blocks/sample.js';
import type { AddressNames } from '../kernel/pool/contents/address-names.js';
import { decodersOf } from '../kernel/pool/contents/decode.js';
import { summarize } from '../kernel/pool/contents/summarize.js';
import { ContentWorld } from '../kernel/pool/contents/world.js';
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
  const world = new ContentWorld(kernel, memory, names, blocks.header);
  const decoders = decodersOf(world);
  return {
    blocks: sample.tags.map((tag, i) => ({
      ...(tag.seen === 0 ? { contents: null } : summarize(tag, world, decoders)),
      billed: billed[i] ?? null,
    })),
    warnings,
  };
}

/** Names of the modules that are loaded, by address. */
export function addressNames(modules: readonly LoadedModule[], pointerSize: 4 | 8): AddressNames {
  const sorted = modules
    .filter(({ sizeOfImage }) => sizeOfImage > 0)
    .map(({ name, moduleName, base, sizeOfImage, headers }) => {
      const start = heapAddress(base, pointerSize);
      const isCode = (address: HeapAddress): boolean | null =>
        headers?.sections.some((s) => s.executable && address >= start + s.rva && address < start + s.rva + s.size) ??
        null;
      return { name, base: start, end: start + sizeOfImage, isKernel: moduleName === 'nt', isCode };
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
    moduleNamed(stem) {
      const wanted = stem.toLowerCase();
      const found = sorted.filter(({ name }) => name.toLowerCase().replace(/\.[^.]*$/, '') === wanted);
      return found.length === 1 ? (found[0] ?? null) : null;
    },
    exportAt: (address) => exported.nameAt(address),
  };
}
