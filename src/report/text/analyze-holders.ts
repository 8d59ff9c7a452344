/** Who the verdict says is behind a leak, where that is a process or are references, in `dumpleak analyze`. */

import { printable } from '../../../parsers/text-safety.js';
import type { AnalysisResult } from '../../result/result.js';
import { processName } from '../../views/print/holder-lines.js';
import { bullets, heading, wrap, type Style } from '../../views/print/style.js';

/** What the verdict says of who is behind it, with the reasons, where that is a process or are references. */
export function culpritSection({ verdict }: AnalysisResult, style: Style): string[] {
  const culprit = verdict.culprit ?? null;
  if (culprit === null || (culprit.kind !== 'process' && culprit.kind !== 'kernel-references')) return [];
  const who =
    culprit.kind === 'kernel-references' || culprit.process === null
      ? 'references of the kernel or of a driver'
      : processName(culprit.process);
  const sure = culprit.confidence === null ? '' : `, confidence ${culprit.confidence}`;
  return [
    heading('Who is behind it', style),
    ...wrap(`${who}${sure}`, style.width, '  '),
    ...bullets(culprit.because.map(printable), style, '+', '    '),
  ];
}
