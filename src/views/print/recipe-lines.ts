/** A recipe as lines: each step with what it costs, its commands to paste, and what to know of them. */

import { printable } from '../../../parsers/text-safety.js';
import type { Recipe, RecipeStep } from '../../result/result.js';
import { wrap, type Style } from './style.js';

/** Commands stand on lines of their own, a long one over several as the command prompt takes it, so that they can be copied. */
export function recipeLines({ steps }: Recipe, style: Style): string[] {
  return steps.flatMap((step, i) => stepLines(step, i + 1, style));
}

function stepLines({ title, cost, where, commands, note }: RecipeStep, number: number, style: Style): string[] {
  const first = `  ${number}. `;
  const indent = ' '.repeat(first.length);
  return [
    ...wrap(printable(`${title}. ${cost}`), style.width, first, indent),
    style.paint('dim', `${indent}${where === 'debugger' ? 'In a kernel debugger:' : 'At an elevated command prompt:'}`),
    ...commands.flatMap((command) => folded(printable(command), style.width, `${indent}  `)),
    ...wrap(printable(note), style.width, indent, indent),
  ];
}

/** One command over as many lines as it needs, a caret at the end of each but the last; what is in quotes is not broken. */
function folded(command: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of command.match(/(?:"[^"]*"|[^\s"])+/g) ?? []) {
    const isFirst = line.trim() === '';
    if (!isFirst && line.length + word.length + 3 > width) {
      lines.push(`${line} ^`);
      line = `${indent}  ${word}`;
    } else line += isFirst ? word : ` ${word}`;
  }
  return [...lines, line];
}
