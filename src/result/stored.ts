/** Results that an earlier version wrote, as this one has them: whoever reads stored results takes them through here. */

import { SCHEMA_VERSION, type AnalysisResult, type Hex, type Suspect } from './result.js';

/** What a line of a batch keeps of a result. */
type Stored = Omit<AnalysisResult, 'modules'>;

/**
 * A result of schema version 1 as one of version 2; one of this version as it is. What version 1 does not tell is null:
 * the base of a suspect's driver, who is behind it, and whether pool leaks where there were no tags to judge by, of which
 * it said that nothing is suspected.
 */
export function asCurrent<T extends Stored>(result: T): T {
  if (majorOf(result.schemaVersion) >= majorOf(SCHEMA_VERSION)) return result;
  const undecided = !result.verdict.leakSuspected && result.poolTags === null;
  return {
    ...result,
    schemaVersion: SCHEMA_VERSION,
    suspects: result.suspects.map((suspect) => ({
      ...suspect,
      key: suspect.key ?? keyOf(suspect, result.poolTags),
      drivers: suspect.drivers.map((driver) => ({
        ...driver,
        base: null,
        evidence: driver.evidence.map((one) => ({ ...one, from: fromOf(one.kind, one.address) })),
      })),
    })),
    verdict: { ...result.verdict, leakSuspected: undecided ? null : result.verdict.leakSuspected, culprit: null },
  };
}

const majorOf = (version: string): number => Number(version.split('.')[0]) || 0;

/** The key of the only row whose tag is spelled so. */
function keyOf({ tag }: Suspect, poolTags: AnalysisResult['poolTags']): Hex | null {
  const [row, ...more] = (poolTags?.rows ?? []).filter((one) => one.tag === tag);
  return row !== undefined && more.length === 0 ? row.hex : null;
}

function fromOf(kind: string, address: Hex | null): 'dump' | 'file' | null {
  if (kind === 'disk-image') return 'file';
  return address === null ? null : 'dump';
}
