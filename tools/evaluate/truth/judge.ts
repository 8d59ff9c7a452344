/** What an analysis of a damaged dump says, against what is true of the machine. */

import { InputError } from '../../../parsers/bytes/input-error.js';
import type { ByteSource } from '../../../parsers/bytes/source.js';
import { analyze } from '../../../src/analysis/analyze.js';
import { OpenedDump } from '../../../src/kernel/open/opened-dump.js';
import type { AnalysisResult } from '../../../src/result/result.js';
import type { TruthCase } from './cases.js';

/** `refused`: the file is no dump that can be read, and that is said. */
export type Outcome = 'right' | 'nobody' | 'wrong' | 'refused';

/** An answer, and what it says above low. */
export interface Answer {
  readonly outcome: Outcome;
  readonly says: string;
}

/** Analyzes a dump and compares: nobody but the culprit may be accused above low. */
export function judgeDump(source: ByteSource, { culprit }: TruthCase): Answer {
  let result: AnalysisResult;
  try {
    result = analyze(
      OpenedDump.over(source.name, { source, fileBytes: source.byteLength, container: null, damage: null }),
    );
  } catch (error) {
    if (error instanceof InputError) return { outcome: 'refused', says: error.message };
    throw error;
  }
  const accused = result.suspects.flatMap(({ tag, drivers }) =>
    drivers
      .filter(({ confidence }) => confidence !== 'low')
      .map(({ module, confidence }) => ({ tag, module, confidence })),
  );
  const says = accused.map(({ tag, module, confidence }) => `${module} for ${tag} (${confidence})`).join(', ');
  const isTrue = ({ tag, module }: { tag: string; module: string }): boolean =>
    culprit !== null && tag === culprit.tag && module.toLowerCase() === culprit.module.toLowerCase();
  if (!accused.every(isTrue)) return { outcome: 'wrong', says };
  return { outcome: accused.length > 0 ? 'right' : 'nobody', says };
}
