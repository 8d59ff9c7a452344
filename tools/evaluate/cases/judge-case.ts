/** What an analysis says of a field case, against the published conclusion. Knows nothing of how the analysis came to it. */

import type { AnalysisResult, Suspect } from '../../../src/result/result.js';
import type { AnswerKind, RightAnswer } from '../../../test-dumps/field-cases/field-case.js';

/** `right class`: nobody innocent is accused, and what is said is of the kind that was concluded. */
export type CaseOutcome = 'right culprit' | 'right class' | 'silent' | 'wrong';

export const CASE_OUTCOMES: readonly CaseOutcome[] = ['right culprit', 'right class', 'silent', 'wrong'];

/** What of a result counts. */
type Said = Pick<AnalysisResult, 'suspects' | 'verdict' | 'memory' | 'warnings'>;

/** The outcome, and for a wrong one why. */
export interface CaseJudgement {
  readonly outcome: CaseOutcome;
  readonly why: string;
}

export function judgeCase(answer: RightAnswer, said: Said): CaseJudgement {
  const accused = [...new Set(accusedIn(said).map((name) => name.toLowerCase()))];
  const culprit = answer.culprit?.toLowerCase() ?? null;
  const innocent = accused.filter((name) => name !== culprit && !isKernel(name));
  if (innocent.length > 0) return { outcome: 'wrong', why: `accuses ${innocent.join(', ')}` };
  const first = firstSuspect(said);
  const mayLeak = answer.kinds.some((kind) => !['no leak', 'impossible', 'not pool'].includes(kind));
  if (said.verdict.leakSuspected === true && !mayLeak) return { outcome: 'wrong', why: 'suspects a leak' };
  if (first !== null && !answer.tags.includes(first.tag)) return { outcome: 'wrong', why: `suspects tag ${first.tag}` };
  if (culprit !== null && accused.includes(culprit)) return { outcome: 'right culprit', why: '' };
  const isRight = answer.kinds.some((kind) => ANSWERS[kind](said, first, answer));
  return { outcome: isRight ? 'right class' : 'silent', why: '' };
}

/** Everybody who is named with more than low confidence. */
function accusedIn({ suspects, verdict }: Said): string[] {
  const { culprit } = verdict;
  return [
    ...suspects.flatMap(({ drivers }) => drivers.filter(({ confidence }) => confidence !== 'low')).map((d) => d.module),
    ...[culprit?.module, culprit?.process?.image].filter((name) => typeof name === 'string'),
  ];
}

/** The kernel allocates for all: to name it accuses nobody. */
const isKernel = (name: string): boolean => name === 'ntoskrnl.exe';

function firstSuspect({ suspects }: Said): Suspect | null {
  return suspects.find(({ reasons }) => reasons.some(({ code }) => code !== 'requested')) ?? null;
}

type Test = (said: Said, first: Suspect | null, answer: RightAnswer) => boolean;

const against = (first: Suspect | null, ...codes: readonly string[]): boolean =>
  first?.against.some(({ code }) => codes.includes(code)) === true;

/** Is this kind of answer given? `first` has a tag of the case where there is one. */
const ANSWERS: Readonly<Record<AnswerKind, Test>> = {
  'ended processes': (_, first) => (first?.holders?.ended.length ?? 0) > 0,
  handles: (_, first) => (first?.holders?.processes.length ?? 0) > 0,
  references: ({ verdict }) => verdict.culprit?.kind === 'kernel-references',
  driver: (_, first) => first !== null,
  'lock step': (_, first, { tags }) =>
    [...(first?.cluster?.members ?? []), ...(first?.related ?? [])].some(
      ({ tag }) => tags.includes(tag) && tag !== first?.tag,
    ),
  'shared tag': ({ verdict }, first) =>
    verdict.culprit?.kind === 'unknown' && (against(first, 'shared-tag') || (first?.drivers.length ?? 0) > 1),
  'tag of Windows': ({ verdict }, first, { tags }) =>
    against(first, 'windows-tag', 'framework-tag', 'object-tag') ||
    (tags.some((tag) => verdict.headline.includes(tag.trim())) && verdict.headline.includes('a tag of Windows')),
  'not pool': ({ verdict }, _, { where }) => verdict.leakSuspected !== true && where?.test(verdict.headline) === true,
  impossible: ({ verdict, memory, warnings }) =>
    verdict.leakSuspected !== true &&
    [...(memory?.flags ?? []), ...warnings].some(({ code }) => code.startsWith('implausible-')),
  'no leak': ({ verdict }) => verdict.leakSuspected !== true,
};
