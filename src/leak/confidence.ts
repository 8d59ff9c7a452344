/**
 * How reasons and what speaks against them make a confidence. Reasons have weights; what speaks against lowers by steps
 * or caps. So a reason more never lowers, and one more against never raises.
 */

import type { Confidence } from '../result/result.js';

const LEVELS: readonly Confidence[] = ['low', 'medium', 'high'];

/** What makes a tag a suspect or supports it, and how much. */
export const REASON_WEIGHTS = {
  'pool-excessive': 3,
  'pool-high': 1,
  'huge-share-of-memory': 3,
  'large-share-of-memory': 2,
  'few-frees': 1,
  'dominates-pool': 1,
  'no-documented-owner': 1,
  'bugcheck-exhaustion': 1,
  'many-ended-processes': 3,
  'many-ended-threads': 3,
  'many-held-by-one': 3,
  'many-without-handle': 3,
  'very-many-objects': 2,
  'tokens-of-ended': 0,
  'lock-step': 0,
  'page-tables-of-ended': 0,
  requested: 0,
} as const;
export type ReasonCode = keyof typeof REASON_WEIGHTS;

/** What speaks against a leak, or is not known: steps down, or `cap` for at most low. */
export const AGAINST_STEPS = {
  /** In every result: counted in the thresholds below. */
  'single-snapshot': 0,
  'windows-tag': 1,
  'cache-tag': 1,
  'unexplained-pool': 1,
  'implausible-pool-usage': 1,
  'verifier-active': 1,
  'special-pool': 1,
  'pool-corruption': 1,
  'memory-unknown': 1,
  'incomplete-tables': 'cap',
  'not-suspicious': 'cap',
  'implausible-counter': 'cap',
  // These concern who did it, not whether there is a leak.
  'shared-tag': 0,
  'verifier-tag': 0,
  'framework-tag': 0,
  'object-tag': 0,
  'driver-not-found': 0,
  'pages-missing': 0,
  'not-searched': 0,
  'modules-missing': 0,
  'module-contradicted': 0,
} as const;
export type AgainstCode = keyof typeof AGAINST_STEPS;

/** One snapshot says how much, not whether it grows: one strong reason alone is not enough for high. */
const HIGH = 5;
const MEDIUM = 3;

/** The confidence that a tag leaks. Unknown codes count for nothing. */
export function suspectConfidence(reasons: readonly string[], against: readonly string[]): Confidence {
  let weight = 0;
  for (const code of new Set(reasons))
    weight += Object.hasOwn(REASON_WEIGHTS, code) ? REASON_WEIGHTS[code as ReasonCode] : 0;
  let confidence: Confidence = weight >= HIGH ? 'high' : weight >= MEDIUM ? 'medium' : 'low';
  for (const code of new Set(against)) {
    const step = Object.hasOwn(AGAINST_STEPS, code) ? AGAINST_STEPS[code as AgainstCode] : 0;
    confidence = step === 'cap' ? 'low' : lower(confidence, step);
  }
  return confidence;
}

/** So many steps lower, at least low. */
export function lower(confidence: Confidence, steps: number): Confidence {
  return LEVELS[Math.max(0, LEVELS.indexOf(confidence) - steps)] ?? 'low';
}

/** The smaller of two. */
export function atMost(confidence: Confidence, limit: Confidence): Confidence {
  return rank(confidence) <= rank(limit) ? confidence : limit;
}

/** 0 low, 1 medium, 2 high. */
export function rank(confidence: Confidence): number {
  return LEVELS.indexOf(confidence);
}
