/** The page of each dump, and the index over them. */

import { renderAnalysisPage } from '../../report/html/analysis-page.js';
import type { BatchIndex, IndexDump, IndexMachine } from '../../report/html/index-data.js';
import { folderAdvice, shortestPaths } from '../inputs/labels.js';
import { groupBy } from '../machines.js';
import type { AnalysisResult } from '../../result/result.js';
import { VERSION } from '../../version.js';
import { causeConfidence } from '../groups.js';
import type { DumpRecord } from '../journal/history.js';
import type { Overview } from './overview.js';

/** From the folder of the batch, as a link. */
export const pageName = (id: string): string => `pages/${id}.html`;

/** The page of one dump. */
export const renderPage = (result: AnalysisResult): string => renderAnalysisPage(result, { index: '../index.html' });

/** What the index page is made of. */
export function indexOf(overview: Overview, now: Date): BatchIndex {
  const { records, failures, machines, machineOf, groups } = overview;
  const labels = shortestPaths(records.map(({ place }) => place));
  const dumpsOf = groupBy(records, ({ id }) => machineOf.get(id) ?? null);
  return {
    generatedAt: now.toISOString(),
    tool: { version: VERSION },
    dumps: records.map((record, i) => indexDump(record, machineOf.get(record.id) ?? null, labels[i] ?? record.place)),
    groups: groups.map(({ growth, dumps, ...group }) => ({ ...group, dumps, count: dumps.length, growth })),
    failures: failures.map(({ place, code, message }) => ({ path: place, code, message })),
    machines: machines.map(({ id, name, firstSeen, lastSeen }): IndexMachine => {
      const dumps = (dumpsOf.get(id) ?? []).map((record) => record.id);
      return { id, name, dumps, firstSeen, lastSeen };
    }),
    advice: folderAdvice(overview),
  };
}

function indexDump({ id, place, summary }: DumpRecord, machine: string | null, label: string): IndexDump {
  const { systemName, buildNumber, type, architecture, systemTime, leakSuspected, headline, suspects } = summary;
  const [first] = suspects;
  return {
    ...{
      id,
      path: place,
      label,
      machine,
      systemName,
      buildNumber,
      type,
      architecture,
      systemTime,
      leakSuspected,
      headline,
    },
    confidence: first === undefined ? null : causeConfidence(first),
    ...{ tag: first?.tag ?? null, pool: first?.pool ?? null, bytes: first?.bytes ?? null },
    ...{
      driver: first?.driver ?? null,
      driverVersion: first?.version ?? null,
      process: first?.process ?? null,
      page: pageName(id),
    },
  };
}
