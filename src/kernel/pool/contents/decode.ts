/** What the blocks of a sample are, counted, and the drivers that they lead to. */

import type { BlockContents } from '../../../result/result.js';
import type { KeptBlock } from '../blocks/sample.js';
import { FileDecoder } from './files.js';
import { FilterContextDecoder } from './filter-contexts.js';
import { IoObjects } from './io-objects.js';
import { IrpDecoder } from './irps.js';
import { MdlDecoder, Mdls } from './mdls.js';
import { NetBufferListDecoder } from './net-buffer-lists.js';
import type { Decoder, Recognized } from './recognized.js';
import { LogonSessionDecoder, TokenDecoder } from './security.js';
import { WdfObjectDecoder } from './wdf-objects.js';
import { WorkItemDecoder } from './work-items.js';
import type { ContentWorld } from './world.js';

/** Of the sample: what fewer blocks are is no trait of it. */
const KIND_SHARE = 0.25;
const MOST_LEADS = 6;
const MOST_TRAITS = 6;

/** All decoders of one kernel. */
export function decodersOf(world: ContentWorld): readonly Decoder[] {
  const objects = new IoObjects(world);
  const mdls = new Mdls(world);
  return [
    new IrpDecoder(world, objects),
    new FileDecoder(world, objects),
    new TokenDecoder(world),
    new LogonSessionDecoder(world),
    new FilterContextDecoder(world, objects),
    new WdfObjectDecoder(world),
    new WorkItemDecoder(world, objects),
    new NetBufferListDecoder(world, mdls),
    new MdlDecoder(world, mdls),
  ];
}

/** Blocks of a kind that lead to the same place of a driver. */
export interface Follows {
  /** `are work items that run`, `are I/O request packets sent to`: what stands before the driver. */
  readonly words: string;
  readonly module: string;
  /** From the module's base, where a place of it is meant. */
  readonly moduleOffset: number | null;
  readonly count: number;
}

/** Recognizes the blocks. A block is of one kind: the first decoder that it proves itself to. */
export function decodeBlocks(
  kept: readonly KeptBlock[],
  decoders: readonly Decoder[],
): { kinds: BlockContents['kinds']; follows: readonly Follows[] } {
  const byKind = new Map<Decoder, Recognized[]>();
  for (const block of kept) {
    for (const decoder of decoders) {
      const found = decoder.read(block);
      if (found === null) continue;
      const known = byKind.get(decoder);
      if (known === undefined) byKind.set(decoder, [found]);
      else known.push(found);
      break;
    }
  }
  const least = Math.max(2, kept.length * KIND_SHARE);
  const common = [...byKind].filter(([, found]) => found.length >= least).sort((a, b) => b[1].length - a[1].length);
  return {
    kinds: common.map(([{ kind }, found]) => ({
      kind,
      count: found.length,
      looked: kept.length,
      detail: traitsOf(found),
      leads: leadsOf(found),
      source: found.find(({ source }) => source !== null)?.source ?? null,
    })),
    follows: common.flatMap(([decoder, found]) => followsOf(decoder, found)),
  };
}

/** `impersonation (480), not in use (470)`. */
function traitsOf(found: readonly Recognized[]): string | null {
  const counts = counted(found.flatMap(({ traits }) => traits));
  const words = counts.slice(0, MOST_TRAITS).map(([trait, count]) => `${trait} (${count})`);
  return words.length === 0 ? null : words.join(', ');
}

function leadsOf(found: readonly Recognized[]): NonNullable<BlockContents['kinds'][number]['leads']> {
  const leads = new Map<string, { how: string; name: string; count: number }>();
  for (const { how, name } of found.flatMap((one) => one.leads)) {
    const known = leads.get(`${how}\0${name}`);
    if (known === undefined) leads.set(`${how}\0${name}`, { how, name, count: 1 });
    else known.count++;
  }
  return [...leads.values()].sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1)).slice(0, MOST_LEADS);
}

function followsOf({ plural }: Decoder, found: readonly Recognized[]): Follows[] {
  const drivers = new Map<string, { -readonly [Name in keyof Follows]: Follows[Name] }>();
  for (const { driver } of found) {
    if (driver === null) continue;
    const { how, module, offset } = driver;
    const key = `${how} ${module.base} ${String(offset)}`;
    const known = drivers.get(key);
    if (known !== undefined) known.count++;
    else
      drivers.set(key, {
        words: `are ${plural} ${how}`,
        module: module.name,
        moduleOffset: offset,
        count: 1,
      });
  }
  return [...drivers.values()].sort((a, b) => b.count - a.count);
}

function counted(words: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}
