/** The tags of drivers that are no part of Windows: what a reader asks for first on a machine without a suspect. */

import { toNumber } from '../../result/result.js';
import type { AnalysisResult, ModuleInfo, PoolTagRow, TagOwner } from '../../result/result.js';
import { isWindowsBinary } from '../../../symbols/tags/windows-binaries.js';
import { isHub } from '../content-evidence.js';
import { isKernelImage } from './windows-tags.js';

/** A tag and the driver that allocates under it. */
export interface ThirdPartyHolder {
  readonly row: PoolTagRow;
  readonly owner: TagOwner;
  /** In both pools. */
  readonly bytes: number;
}

/** Tags that hold less are not worth a word. */
const LEAST = 2 ** 20;

/** Largest first. */
export function thirdPartyHolders({
  poolTags,
  modules,
}: Pick<AnalysisResult, 'poolTags' | 'modules'>): ThirdPartyHolder[] {
  return (poolTags?.rows ?? [])
    .flatMap((row): ThirdPartyHolder[] => {
      const bytes = toNumber(row.nonPaged.bytes) + toNumber(row.paged.bytes);
      const owner = row.owner ?? null;
      return owner === null || bytes < LEAST || !isThirdParty(owner, modules) ? [] : [{ row, owner, bytes }];
    })
    .sort((a, b) => b.bytes - a.bytes);
}

/** True for a driver that is no part of Windows, as far as its name and its version resource tell. */
export function isThirdParty(
  { module, base }: Pick<TagOwner, 'module' | 'base'>,
  modules: readonly ModuleInfo[] | null,
): boolean {
  const loaded = modules?.find((one) => one.base === base);
  return loaded === undefined ? !isKernelImage(module) && !isWindowsBinary(module) : !isHub(loaded);
}
