/** The text of `dumpleak recipe`. */

import type { Recipe } from '../../result/result.js';
import { tagInWords } from '../../result/tag.js';
import { recipeLines } from '../../views/print/recipe-lines.js';
import { asciiOnly, createStyle, heading, type Style, type StyleOptions } from '../../views/print/style.js';

/** The report, ended by a line feed. */
export function renderRecipe(recipe: Recipe, options: StyleOptions = {}): string {
  const style = createStyle(options);
  const text = `${recipeSection(recipe, style).join('\n')}\n`;
  return style.ascii ? asciiOnly(text) : text;
}

/** The recipe with its title. */
export function recipeSection(recipe: Recipe, style: Style): string[] {
  const build = recipe.build === null ? '' : ` on build ${recipe.build}`;
  const title = `For the stacks of tag ${tagInWords(recipe.tag)}${build}: commands to paste`;
  return [heading(title, style), ...recipeLines(recipe, style)];
}
