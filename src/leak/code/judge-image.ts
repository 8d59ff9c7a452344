/** Where tags stand in one image, and what each place is worth: for images on disk as for modules in a dump. */

import type { CodeOptions } from '../../code/calls/allocations.js';
import type { LoadedModule } from '../../kernel/modules/modules.js';
import { searchTags } from '../../kernel/modules/tag-search.js';
import type { Confidence, Evidence, Searched } from '../../result/result.js';
import { CodeEvidence } from './code-evidence.js';
import { evidenceOfHit } from '../drivers.js';
import { fixedTagCalls } from '../tags/fixed-tags.js';

/** One place, and how much it says that the image allocates under the tag. */
export interface Trace {
  evidence: Evidence;
  strength: Confidence;
}

export interface ImageJudgement {
  /** By key, best first. Keys without a trace have an empty list. */
  traces: Map<number, Trace[]>;
  searched: Searched;
}

/**
 * Judges one image for tags (little-endian keys without the protected bit). An image on disk must have the base that its
 * header prefers, or that it was relocated for.
 */
export function judgeImage(module: LoadedModule, keys: readonly number[], options: CodeOptions = {}): ImageJudgement {
  const { hits, searched } = searchTags([module], keys);
  const evidence = new CodeEvidence([module], options.exports ?? null);
  const traces = new Map<number, Trace[]>();
  for (const [key, list] of hits) {
    traces.set(
      key,
      list.map((hit): Trace => {
        const judgement = evidence.judge(hit, key);
        return { evidence: { ...evidenceOfHit(hit, judgement), from: 'file' }, strength: judgement.strength };
      }),
    );
  }
  for (const key of keys) {
    const calls = fixedTagCalls(module, key, options).map((call): Trace => ({ evidence: call, strength: 'high' }));
    if (calls.length > 0) traces.set(key, [...calls, ...(traces.get(key) ?? [])]);
  }
  return { traces, searched };
}
