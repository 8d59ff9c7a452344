/** Who is behind a leak, as far as its suspects tell: one driver, or nobody. A function of the suspects alone. */

import type { Confidence, Culprit, Suspect, SuspectDriver, TagCluster } from '../result/result.js';
import { atMost, rank } from './confidence.js';
import type { HolderJudgement } from './objects/holders.js';
import { isSuspicious } from './suspects.js';
import { isKernelImage } from './tags/windows-tags.js';
import { list, sentence } from './wording.js';

/** Sentences that say why a driver is named. */
const MOST_REASONS = 3;

const NOBODY: Omit<Culprit, 'kind' | 'because'> = { module: null, base: null, process: null, confidence: null };

/** The drivers of a suspect that may be named: those that are likely, and of them those that are certain. */
export function namedDrivers({ drivers }: Suspect): { likely: SuspectDriver[]; certain: SuspectDriver[] } {
  const likely = drivers.filter(({ confidence }) => rank(confidence) > 0);
  return { likely, certain: likely.filter(({ confidence }) => confidence === 'high') };
}

/** The driver that the headline names: the only certain one, else the only likely one. Null for several and for none. */
export function theDriver(suspect: Suspect): SuspectDriver | null {
  const { likely, certain } = namedDrivers(suspect);
  const [only, ...more] = certain.length > 0 ? certain : likely;
  return only !== undefined && more.length === 0 ? only : null;
}

/**
 * The driver that makes a suspect allocate, by the tags in lock step with it. Null where that is not likely, where drivers
 * are likely by their own evidence, and for tags that drivers share.
 */
export function clusterCulprit(suspect: Suspect): NonNullable<TagCluster['culprit']> | null {
  const culprit = suspect.cluster?.culprit ?? null;
  const isOpen =
    namedDrivers(suspect).likely.every(({ module }) => isKernelImage(module)) &&
    !suspect.against.some(({ code }) => code === 'shared-tag');
  return culprit !== null && isOpen && rank(culprit.confidence) > 0 ? culprit : null;
}

/** A driver that a bug check names for pool that it left allocated, and what it says. */
interface Accused {
  readonly driver: string | null;
  readonly message: string;
}

/** Who is behind the first suspect; `accused` counts where no tag is suspicious, `notPool` where memory is elsewhere. */
export function culpritOf(
  leakSuspected: boolean | null,
  suspects: readonly Suspect[],
  accused: Accused | null = null,
  judgements: ReadonlyMap<Suspect, HolderJudgement> = new Map(),
  noTag = 'No tag stands out',
  notPool: readonly string[] = [],
): Culprit {
  if (leakSuspected === null)
    return { ...NOBODY, kind: 'unknown', because: ['This dump cannot tell whether pool leaks'] };
  if (!leakSuspected)
    return { ...NOBODY, kind: notPool.length > 0 ? 'not-pool' : 'none', because: notPool.slice(0, MOST_REASONS) };
  const first = suspects.find(isSuspicious);
  if (first !== undefined) return ofSuspect(first, judgements.get(first) ?? null);
  const name = accused?.driver ?? null;
  if (accused === null || name === null) return { ...NOBODY, kind: 'unknown', because: [noTag] };
  return driver(name, null, 'medium', [accused.message]);
}

function ofSuspect(suspect: Suspect, judgement: HolderJudgement | null): Culprit {
  if (judgement !== null && judgement.kind !== 'unknown') {
    const confidence = atMost(judgement.confidence, suspect.confidence);
    const because = judgement.because.slice(0, MOST_REASONS);
    return { ...NOBODY, kind: judgement.kind, process: judgement.process, confidence, because };
  }
  const named = theDriver(suspect);
  if (named !== null && !isKernelImage(named.module)) {
    const because = named.evidence.flatMap(({ note }) => (note === null ? [] : [note]));
    return driver(named.module, named.base ?? null, named.confidence, because.slice(0, MOST_REASONS));
  }
  const maker = clusterCulprit(suspect);
  if (maker !== null) return driver(maker.module, maker.base, maker.confidence, [maker.because]);
  const because = judgement === null ? [] : [sentence(judgement.says), ...judgement.because];
  return { ...NOBODY, kind: 'unknown', because: because.length > 0 ? because : [whyNobody(suspect, named)] };
}

function driver(module: string, base: Culprit['base'], confidence: Confidence, because: string[]): Culprit {
  return { kind: 'driver', module, base, process: null, confidence, because };
}

function whyNobody(suspect: Suspect, kernel: SuspectDriver | null): string {
  if (kernel !== null) return `${kernel.module} allocates for drivers and processes: the tag does not tell for whom`;
  const { likely } = namedDrivers(suspect);
  if (likely.length > 0) return `${list(likely.map(({ module }) => module))} may allocate under the tag`;
  const known = suspect.against.find(({ code }) => ['shared-tag', 'windows-tag', 'driver-not-found'].includes(code));
  if (known !== undefined) return known.message;
  return suspect.searched === null
    ? 'The modules could not be searched'
    : 'No module is known to allocate under the tag';
}
