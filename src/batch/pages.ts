/** The page of each dump, and the index over them. */

import { renderAnalysisPage } from '../report/html/analysis-page.js';
import type { BatchIndex, IndexDump, IndexMachine } from '../report/html/index-data.js';
import { groupBy } from './machines.js';
import type { AnalysisResult } from '../result/result.js';
import { VERSION } from '../version.js';
import { causeConfidence } from './groups.js';
import type { DumpRecord } from './history.js';
import type { Overview } from './overview.js';

/** From the folder of the batch, as a link. */
export const pageName = (id: string): string => `pages/${id}.html`;

/** The page of one dump. */
export const renderPage = (result: AnalysisResult): string => renderAnalysisPage(result, { index: '../index.html' });

/** What the index page is made of. */
export function indexOf({ records, failures, machines, machineOf, groups }: Overview, now: Date): BatchIndex {
  const dumpsOf = groupBy(records, ({ id }) => machineOf.get(id) ?? null);
  return {
    generatedAt: now.toISOString(),
    tool: { version: VERSION },
    dumps: records.map((record) => indexDump(record, machineOf.get(record.id) ?? null)),
    groups: groups.map(({ growth, dumps, ...group }) => ({ ...group, dumps, count: dumps.length, growth })),
    failures: failures.map(({ place, code, message }) => ({ path: place, code, message })),
    machines: machines.map(({ id, name, firstSeen, lastSeen }): IndexMachine => {
      const dumps = (dumpsOf.get(id) ?? []).map((record) => record.id);
      return { id, name: name ?? `unnamed ${id}`, dumps, firstSeen, lastSeen };
    }),
  };
}

function indexDump({ id, place, summary }: DumpRecord, machine: string | null): IndexDump {
  const { systemName, buildNumber, type, architecture, systemTime, leakSuspected, headline, suspects } = summary;
  const [first] = suspects;
  return {
    ...{ id, path: place, machine, systemName, buildNumber, type, architecture, systemTime, leakSuspected, headline },
    confidence: first === undefined ? null : causeConfidence(first),
    ...{ tag: first?.tag ?? null, pool: first?.pool ?? null, bytes: first?.bytes ?? null },
    ...{ driver: first?.driver ?? null, driverVersion: first?.version ?? null, page: pageName(id) },
  };
}
