/** Lines of a suspect that tell what stands in its blocks, and who was charged for them. */

import { printable } from '../../../parsers/text-safety.js';
import type { Suspect } from '../../result/result.js';
import { billedFindings, contentFindings, type Findings } from '../../views/print/content-findings.js';
import { bullets, wrap, type Style } from '../../views/print/style.js';

/** What stands in the blocks, and who was charged. Nothing where none was looked at. */
export function contentLines(suspect: Suspect, style: Style): string[] {
  return [...linesOf(contentFindings(suspect), style), ...linesOf(billedFindings(suspect), style)];
}

function linesOf(findings: Findings | null, style: Style): string[] {
  if (findings === null) return [];
  const { title, lines, more } = findings;
  return [
    ...wrap(title, style.width, '  ', '    '),
    ...bullets(lines.map(printable), style, style.bullet, '    '),
    ...(more === null ? [] : wrap(more, style.width, '    ', '    ')),
  ];
}
