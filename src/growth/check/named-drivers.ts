/** Which drivers a result names for the tags of its pools, and what those tags hold. */

import { theDriver } from '../../leak/culprit.js';
import { isKernelImage } from '../../leak/tags/windows-tags.js';
import { countersOf } from '../../result/pool.js';
import { isCodeKind } from '../../result/evidence-kinds.js';
import {
  toNumber,
  type AnalysisResult,
  type Confidence,
  type Hex,
  type PoolKind,
  type Suspect,
  type SuspectDriver,
} from '../../result/result.js';
import { tagKey } from '../../result/tag.js';

/** A tag in one pool that a driver is named for. */
export interface HeldTag {
  readonly tag: string;
  readonly hex: Hex;
  readonly pool: PoolKind;
  readonly bytes: number;
}

export interface NamedDriver {
  /** File name. */
  readonly module: string;
  /** Of the tag that it is most surely named for. */
  readonly confidence: Confidence;
  readonly tags: readonly HeldTag[];
}

export const inBytes = (tags: readonly HeldTag[]): number => tags.reduce((sum, { bytes }) => sum + bytes, 0);

const RANK: Readonly<Record<Confidence, number>> = { high: 2, medium: 1, low: 0 };

/** What says that a tag does not tell whose the blocks are, or that a module may not be what it seems. */
const NOT_ITS_OWN = new Set(['windows-tag', 'cache-tag', 'shared-tag', 'verifier-tag', 'framework-tag', 'object-tag', 'module-contradicted', 'modules-missing']); // prettier-ignore

/**
 * Of a tag that no rule finds suspicious no driver is accused; here it is what grew that accuses. So the only driver whose
 * code was followed to an allocation under the tag is named, likely and not certain.
 */
function theAllocator({ drivers, against, reasons }: Suspect): Pick<SuspectDriver, 'module' | 'confidence'> | null {
  if (!reasons.some(({ code }) => code === 'requested') || against.some(({ code }) => NOT_ITS_OWN.has(code))) {
    return null;
  }
  const allocates = drivers.filter(({ evidence }) =>
    evidence.some(
      ({ kind, callsAllocator, call }) => isCodeKind(kind) && callsAllocator === true && call?.kind === 'allocate',
    ),
  );
  const [only, ...more] = allocates;
  return only !== undefined && more.length === 0 ? { module: only.module, confidence: 'medium' } : null;
}

/**
 * Drivers that are the only certain or the only likely one behind a suspect's tag, as a headline would name them. The
 * kernel is none: it allocates for others.
 */
export function driversOf({ suspects, poolTags }: Pick<AnalysisResult, 'suspects' | 'poolTags'>): NamedDriver[] {
  const found = new Map<string, { module: string; confidence: Confidence; tags: HeldTag[] }>();
  const rows = new Map((poolTags?.rows ?? []).map((row) => [tagKey(row), row]));
  for (const suspect of suspects) {
    const driver = theDriver(suspect) ?? theAllocator(suspect);
    const row = suspect.key ? rows.get(tagKey({ hex: suspect.key })) : undefined;
    if (driver === null || row === undefined || isKernelImage(driver.module)) continue;
    const { module, confidence } = driver;
    const one = found.get(module.toLowerCase()) ?? { module, confidence, tags: [] };
    if (RANK[confidence] > RANK[one.confidence]) one.confidence = confidence;
    const { pool } = suspect;
    if (!one.tags.some(({ hex, pool: known }) => hex === row.hex && known === pool)) {
      one.tags.push({ tag: row.tag, hex: row.hex, pool, bytes: toNumber(countersOf(row, pool).bytes) });
    }
    found.set(module.toLowerCase(), one);
  }
  return [...found.values()];
}
