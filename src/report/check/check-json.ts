/** A check as JSON; docs/ci.md lists its fields. */

import { outcomeOf, type CheckReport } from '../../growth/check/outcome.js';
import { VERSION } from '../../version.js';
import { renderPart } from '../../views/print/part-json.js';

export const CHECK_SCHEMA_VERSION = '1.0';

export function renderCheckJson(report: CheckReport): string {
  const { baseline, baselineFile, maxGrowthPercent, minGrowthBytes, limits, dumps } = report;
  return renderPart({
    schemaVersion: CHECK_SCHEMA_VERSION,
    tool: { name: 'dumpleak', version: VERSION },
    outcome: outcomeOf(report),
    baseline:
      baseline === null ? null : { file: baselineFile, dumps: baseline.dumps, buildNumber: baseline.buildNumber },
    maxGrowthPercent,
    minGrowthBytes,
    limits: limits.map(({ tag, bytes }) => ({ tag, bytes })),
    dumps: dumps.map(({ path, outcome, reason, tagsCompared, excesses, notes }) => {
      return { path, outcome, reason, tagsCompared, excesses, notes };
    }),
  });
}
