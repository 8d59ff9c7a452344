/**
 * What blocks say of a driver: "412 of 500 blocks hold a pointer into nvstor.sys+0x1f40 at offset 0x18". A driver whose
 * address stands at the same place of nearly all blocks made them, or is called back for them. docs/verdict.md has the rules.
 */

import type { Follows } from '../kernel/pool/contents/decode.js';
import { printable } from '../../parsers/text-safety.js';
import { isWindowsBinary } from '../../symbols/tags/windows-binaries.js';
import { toNumber, type BlockContents, type Confidence, type ModuleInfo } from '../result/result.js';
import {
  CONTENT_FEWEST_BLOCKS,
  CONTENT_LOW_PERCENT,
  CONTENT_MEDIUM_PERCENT,
  CONTENT_RIVAL_PERCENT,
} from './thresholds.js';
import { isKernelImage } from './tags/windows-tags.js';

/** A module that the contents speak of. */
export interface ContentTrace {
  /** Index into the modules. */
  readonly module: number;
  readonly strength: Confidence;
  readonly note: string;
}

/**
 * Drivers that hold blocks call, or are called by, these: a pointer to one of them says nothing. By file name, besides
 * everything that is a part of Windows.
 */
const HUBS: ReadonlySet<string> = new Set([
  'ndis', 'fltmgr', 'wdf01000', 'wdfldr', 'storport', 'scsiport', 'classpnp', 'usbport', 'usbd', 'ks', 'portcls', 'hidclass',
  'netio', 'tcpip', 'fwpkclnt', 'dxgkrnl', 'videoprt', 'watchdog', 'win32k', 'win32kbase', 'win32kfull', 'ntfs', 'ci', 'clfs',
  'ksecdd', 'msrpc', 'tdi', 'acpi', 'pci', 'volmgr', 'partmgr', 'disk', 'verifierext', 'cng', 'tm',
]); // prettier-ignore

/** True for modules that nobody is accused by: the kernel, its parts, and what Microsoft made. */
export function isHub(module: Pick<ModuleInfo, 'name' | 'moduleName' | 'version'>): boolean {
  const stem = module.name.toLowerCase().replace(/\.(?:sys|dll|exe)$/, '');
  return (
    module.moduleName === 'nt' ||
    isKernelImage(module.name) ||
    HUBS.has(stem) ||
    isWindowsBinary(module.name) ||
    (module.version?.companyName ?? '').toLowerCase().startsWith('microsoft')
  );
}

/** The traces of drivers, most blocks first. None where too few blocks were looked at. */
export function contentTraces(
  contents: BlockContents,
  modules: readonly ModuleInfo[],
  follows: readonly Follows[] = [],
): ContentTrace[] {
  const sampled = toNumber(contents.sampled);
  if (sampled < CONTENT_FEWEST_BLOCKS) return [];
  const best = new Map<number, Saying>();
  // What a block is says more than that a pointer stands in it: of two as frequent it is told.
  for (const saying of [...follows.map(ofFollows), ...contents.pointers.map(ofPointer)]) {
    const place = moduleOf(saying.module, modules);
    const module = modules[place];
    if (module === undefined || isHub(module)) continue;
    const known = best.get(place);
    if (known === undefined || saying.count > known.count) best.set(place, saying);
  }
  const percent = ({ count }: Saying): number => (count * 100) / sampled;
  const all = [...best].sort((a, b) => b[1].count - a[1].count || a[0] - b[0]);
  const isAlone = all.filter(([, saying]) => percent(saying) >= CONTENT_RIVAL_PERCENT).length === 1;
  return all
    .filter(([, saying]) => percent(saying) >= CONTENT_LOW_PERCENT)
    .map(([module, saying]) => {
      const rivals = isAlone ? '' : '; other drivers stand in them too';
      return {
        module,
        strength: isAlone && percent(saying) >= CONTENT_MEDIUM_PERCENT ? 'medium' : 'low',
        note: `${saying.count} of ${sampled} blocks ${saying.words}${rivals}`,
      };
    });
}

/** What so many blocks say of a module. */
interface Saying {
  readonly module: string;
  readonly count: number;
  readonly words: string;
}

function ofFollows({ module, moduleOffset, count, words }: Follows): Saying {
  const place = moduleOffset === null ? '' : `+0x${moduleOffset.toString(16)}`;
  return { module, count, words: `${words} ${printable(module)}${place}` };
}

function ofPointer({ module, moduleOffset, symbol, offset, count }: BlockContents['pointers'][number]): Saying {
  const target = `${printable(module)}+${moduleOffset}${symbol === null ? '' : ` (${printable(symbol)})`}`;
  return { module, count: toNumber(count), words: `hold a pointer into ${target} at offset 0x${offset.toString(16)}` };
}

/** The module of a name; -1 where two have it, for then it is not known which is meant. */
function moduleOf(name: string, modules: readonly ModuleInfo[]): number {
  const place = modules.findIndex((module) => module.name === name);
  return place >= 0 && modules.findLastIndex((module) => module.name === name) === place ? place : -1;
}
