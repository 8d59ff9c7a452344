/** Searches driver files for pool tags, with the evidence of an analysis: `dumpleak tags PATH... --tag Leak`. */

import type { Architecture, Confidence, Evidence, VersionInfo, Warning } from '../../result/result.js';
import { rank } from '../../leak/confidence.js';
import { naturalOrder } from '../../growth/read/file-names.js';
import { judgeImage, type Trace } from '../../leak/code/judge-image.js';
import { tagText } from '../../result/tag.js';
import { MAXIMUM_EVIDENCE } from '../../leak/thresholds.js';
import { eachDriver, type FilesSearched, type Progress } from './each.js';

/** A file that holds a tag. */
export interface TaggedFile {
  tag: string;
  path: string;
  /** Null for processors that no dump is read of. */
  architecture: Architecture | null;
  /** How sure it is that the code in this file allocates under the tag. */
  confidence: Confidence;
  version: VersionInfo | null;
  /** Best first, at most MAXIMUM_EVIDENCE: the last says how many more there are. */
  evidence: Evidence[];
}

export interface DriverSearch {
  tags: string[];
  /** Files with evidence only, best first. */
  files: TaggedFile[];
  searched: FilesSearched;
  warnings: Warning[];
}

/** Searches files, and the drivers in folders, for tags (little-endian keys without the protected bit). */
export function searchDrivers(
  paths: readonly string[],
  keys: readonly number[],
  progress?: Progress,
  followLinks = true,
): DriverSearch {
  const files: TaggedFile[] = [];
  const { searched, warnings } = eachDriver(
    paths,
    progress,
    ({ module, architecture }) => {
      const { traces } = judgeImage(module, keys);
      for (const key of keys) {
        const list = traces.get(key) ?? [];
        const best = bestOf(list);
        if (best === null) continue;
        const version = module.version === null ? null : { ...module.version };
        const about = { tag: tagText(key), path: module.path ?? module.name, architecture };
        files.push({ ...about, confidence: best, version, evidence: firstOf(list) });
      }
    },
    followLinks,
  );
  const order = (file: TaggedFile): number => keys.findIndex((key) => tagText(key) === file.tag);
  files.sort((a, b) => order(a) - order(b) || rank(b.confidence) - rank(a.confidence) || naturalOrder(a.path, b.path));
  return { tags: keys.map(tagText), files, searched, warnings };
}

function bestOf(traces: readonly Trace[]): Confidence | null {
  let best: Confidence | null = null;
  for (const { strength } of traces) if (best === null || rank(strength) > rank(best)) best = strength;
  return best;
}

function firstOf(traces: readonly Trace[]): Evidence[] {
  const sorted = [...traces].sort((a, b) => rank(b.strength) - rank(a.strength));
  const kept = sorted.slice(0, MAXIMUM_EVIDENCE).map(({ evidence }) => evidence);
  const more = traces.length - kept.length;
  const last = kept.at(-1);
  if (more > 0 && last) kept[kept.length - 1] = { ...last, note: `${last.note ?? ''} (${more} more in this file)` };
  return kept;
}
