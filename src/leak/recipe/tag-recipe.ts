/** The recipe for a tag without a dump: whose it is, is told by the lists of tags. */

import type { Recipe } from '../../result/result.js';
import { tagText } from '../../result/tag.js';
import type { TagDescriptions } from '../../kernel/pool/tag-descriptions.js';
import { isHandleObjectTag, isWindowsTag } from '../tags/windows-tags.js';
import { recipeFor } from './recipe.js';

/** @param key little-endian, without the protected bit */
export function tagRecipe(
  key: number,
  descriptions: TagDescriptions,
  { build, drivers }: { readonly build: number | null; readonly drivers: readonly string[] },
): Recipe {
  const tag = tagText(key);
  const windows = isWindowsTag({ tag, ...descriptions.describe(tag) }, null);
  return recipeFor({ key, build, drivers, windows, objects: windows && isHandleObjectTag(tag) });
}
