/** The recipe for what a verdict speaks of: its tag, and the drivers that may be behind it. */

import { tagKey } from '../../result/tag.js';
import type { PoolTagRow, Recipe, Suspect } from '../../result/result.js';
import { namedDrivers } from '../culprit.js';
import type { LeakFacts } from '../facts.js';
import { typeOfTag } from '../objects/object-subjects.js';
import { isHandleObjectTag, isKernelImage, isWindowsTag } from '../tags/windows-tags.js';
import { recipeFor } from './recipe.js';

/** @param suspect its suspect; null for a large tag that is none */
export function recipeOf(facts: LeakFacts, row: PoolTagRow, suspect: Suspect | null): Recipe {
  const windows = isWindowsTag(row, facts.modules);
  return recipeFor({
    key: tagKey(row),
    build: facts.build ?? null,
    drivers: suspect === null ? [] : driversIn(suspect),
    windows,
    objects: typeOfTag(facts.objects, row) !== null || (windows && isHandleObjectTag(row.tag)),
  });
}

/** Those that are likely; where nobody is, all that hold more than text of the tag. */
function driversIn(suspect: Suspect): string[] {
  const { likely } = namedDrivers(suspect);
  const some =
    likely.length > 0
      ? likely
      : suspect.drivers.filter(({ evidence }) => evidence.some(({ kind }) => kind !== 'string'));
  return some.map(({ module }) => module).filter((name) => !isKernelImage(name));
}
