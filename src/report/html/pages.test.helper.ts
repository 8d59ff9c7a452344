/** Pages for tests: hostile names in every text of a result and of an index, and a pool of many tags. */

import { FULL } from '../golden/samples.js';
import { Collector } from '../../growth/read/collector.js';
import { makeTrend, type Trend } from '../../growth/trend.js';
import type { AnalysisResult } from '../../result/result.js';
import { memoryOf, tagRow } from '../../views/results.test.helper.js';
import type { BatchIndex, IndexDump } from './index-data.js';

/** Names that try to leave the place they are put in. Each makes the page do something where it succeeds. */
export const HOSTILE = [
  '</script><script>globalThis.broken=1</script>',
  '</title></style><img src=x onerror="globalThis.broken=1">',
  `"'><svg onload='globalThis.broken=1'>`,
  '" onmouseover="globalThis.broken=1" autofocus onfocus="globalThis.broken=1',
  'javascript:globalThis.broken=1',
  '<!--<script>globalThis.broken=1</script>',
  '\u202egnp.exe\u2066\u200f',
  'a\u0000b\u0007c\u001b[31md\r\ne\tf\u009b',
  '\ud800lone\udc00',
  '&lt;script&gt;&amp;${1}`',
  '<base href=//evil.example/><meta http-equiv=refresh content=0;url=//evil.example>',
] as const;

/** Every text of a value replaced by a hostile one, in turn; what is a key, a number or one of a few words stays. */
export function poisoned<T>(value: T, fixed: ReadonlySet<string>): T {
  let turn = 0;
  const walk = (part: unknown, key: string): unknown => {
    if (typeof part === 'string') return fixed.has(key) ? part : `${HOSTILE[turn++ % HOSTILE.length] ?? ''}${turn}`;
    if (Array.isArray(part)) return part.map((inner) => walk(inner, key));
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([name, inner]) => [name, walk(inner, name)]));
  };
  return walk(value, '') as T;
}

const FIXED = new Set([
  ...['pages', 'value', 'limit', 'count', 'allocs', 'frees', 'outstanding', 'bytes', 'type', 'architecture', 'format'],
  ...['productType', 'pool', 'confidence', 'kind', 'judgement', 'id', 'machine', 'dumps', 'machines', 'tagSource'],
  ...['tagBytes', 'poolBytes', 'unexplainedBytes', 'nonPagedAllocs', 'nonPagedBytes', 'pagedAllocs', 'pagedBytes'],
  ...['fileBytes', 'pagesPresent', 'physicalPages', 'currentPages', 'freePages', 'minimumPages', 'maximumPages'],
]);

/** A full result of which every text is hostile. */
export const HOSTILE_RESULT: AnalysisResult = poisoned(FULL, FIXED);

/** A pool of many tags, as a server with many drivers has it. */
export function manyTags(count: number): AnalysisResult {
  const rows = Array.from({ length: count }, (_, i) => {
    const tag = `${String.fromCharCode(65 + (i % 26))}${String(i).padStart(4, '0').slice(-4)}`.slice(0, 4);
    const bytes = Math.round(1e9 / (i + 1));
    const about = { description: `Buffers of feature number ${i}`, binary: `driver${i % 97}.sys` };
    return tagRow(tag, [i + 1, bytes, count - i, i * 16], { ...about, tagSource: 'built-in' });
  });
  const totals = { nonPagedAllocs: 1, nonPagedBytes: 1e9, pagedAllocs: 1, pagedBytes: 1e9 };
  return {
    ...FULL,
    memory: memoryOf({
      physicalMemory: 4194304,
      nonPagedPoolUsage: 2_400_000,
      nonPagedPoolMaximum: 3_000_000,
      pagedPoolUsage: 60_000,
      pagedPoolMaximum: 33554432,
      committedPages: 3_000_000,
      commitLimit: 5_000_000,
      availablePages: 1_000_000,
    }),
    poolTags: {
      tables: 8,
      entries: 8193,
      source: 'profile',
      complete: true,
      reconciliation: { nonPaged: null, paged: null },
      totals,
      rows,
    },
  };
}

function dump(id: string, machine: string | null, more: Partial<IndexDump>): IndexDump {
  return {
    id,
    path: `share/${id}/MEMORY.DMP`,
    label: `${id}/MEMORY.DMP`,
    machine,
    systemName: 'Windows Server 2019',
    buildNumber: 17763,
    type: 'kernel',
    architecture: 'x64',
    systemTime: '2026-11-19T22:10:05.000Z',
    leakSuspected: true,
    headline: 'Nonpaged pool: 586.9 MB under tag Leak, allocated by myfault.sys',
    confidence: 'high',
    tag: 'Leak',
    pool: 'nonpaged',
    bytes: 615424000,
    driver: 'myfault.sys',
    driverVersion: '4.0.0.0',
    process: null,
    page: `dumps/${id}.html`,
    ...more,
  };
}

/** Sixty hours with a restart: one tag leaks, one follows load, one is still. All are called by the label where one is given. */
export function growth(label?: string): Trend {
  const to = new Collector();
  to.files.push({ path: `logs/${label ?? 'a'}.log`, name: 'a.log', fileTime: 0, kind: 'poolmon', samples: 60 });
  const mb = 2 ** 20;
  for (let i = 0; i < 60; i++) {
    const used = (500 + i * 8) * mb;
    const figures = {
      memory: 2048 * mb, available: 1200 * mb - i * 8 * mb, committed: 900 * mb, commitLimit: 4096 * mb,
      nonPagedPool: used, pagedPool: 100 * mb, nonPagedMaximum: 1200 * mb, pagedMaximum: null,
    }; // prettier-ignore
    const time = Date.UTC(2026, 0, 5, i);
    const sample = to.sample({ time, hasTags: true, complete: true, figures, tagBytes: [used, 0] });
    const values = [i * 8 * mb, (40 + 20 * Math.sin(i / 4)) * mb, 7 * mb];
    for (const [t, tag] of ['Leak', 'Load', '<b> '].entries()) {
      const bytes = Math.round(values[t] ?? 0);
      to.tag(sample, Buffer.from(tag, 'latin1').readUInt32LE(), t === 1 ? 1 : 0, 9000 + bytes / 1024, 9000, bytes);
    }
    to.poolTotal(sample, 'nonpaged', used);
  }
  if (label !== undefined) to.warnings.push({ code: 'rows-unreadable', message: label });
  const trend = makeTrend(to);
  if (label !== undefined) for (const { series } of trend.series) series.name.label = label;
  return { ...trend, reboots: [30] };
}

/** A small share: one cause on two machines, one without a driver, a healthy dump, two files that were not read. */
export const INDEX: BatchIndex = {
  generatedAt: '2026-11-20T09:00:00Z',
  tool: { version: '0.1.0' },
  dumps: [
    dump('d1', 'm1', {}),
    dump('d2', 'm1', { systemTime: '2026-11-20T04:10:05.000Z', bytes: 815424000 }),
    dump('d3', 'm2', {}),
    dump('d4', 'm3', {
      headline: "Nonpaged pool: 1.5 GB under tag 'Ddk ', a tag that many drivers share, so no driver is named",
      confidence: 'medium',
      tag: 'Ddk ',
      bytes: '1610612736',
      driver: null,
      driverVersion: null,
      process: null,
    }),
    dump('d5', null, {
      leakSuspected: false,
      headline: 'No pool leak seen in this snapshot',
      confidence: null,
      tag: null,
      pool: null,
      bytes: null,
      driver: null,
      driverVersion: null,
      process: null,
      systemTime: null,
      page: null,
    }),
  ],
  groups: [
    {
      id: 'g1',
      tag: 'Leak',
      pool: 'nonpaged',
      driver: 'myfault.sys',
      driverVersion: '4.0.0.0',
      process: null,
      company: 'Sysinternals',
      confidence: 'high',
      count: 3,
      machines: ['m1', 'm2'],
      firstSeen: '2026-11-19T22:10:05.000Z',
      lastSeen: '2026-11-20T04:10:05.000Z',
      growth: {
        perHour: 33333333,
        judgement: 'too-little-data',
        points: [
          [1795126205000, 615424000],
          [1795147805000, 815424000],
        ],
      },
      dumps: ['d1', 'd2', 'd3'],
    },
    {
      id: 'g2',
      tag: 'Ddk ',
      pool: 'nonpaged',
      driver: null,
      driverVersion: null,
      process: null,
      company: null,
      confidence: 'medium',
      count: 1,
      machines: ['m3'],
      firstSeen: '2026-11-19T22:10:05.000Z',
      lastSeen: '2026-11-19T22:10:05.000Z',
      growth: null,
      dumps: ['d4'],
    },
  ],
  failures: [
    { path: 'share/x/MEMORY.DMP', code: 'not-a-dump', message: 'not a Windows crash dump: it begins with 4d 5a 90 00' },
    { path: 'share/y/MEMORY.DMP', code: 'timeout', message: 'stopped after 10 minutes' },
  ],
  advice: null,
  machines: [
    {
      id: 'm1',
      name: 'FILE-01',
      dumps: ['d1', 'd2'],
      firstSeen: '2026-11-19T22:10:05.000Z',
      lastSeen: '2026-11-20T04:10:05.000Z',
    },
    {
      id: 'm2',
      name: 'FILE-02',
      dumps: ['d3'],
      firstSeen: '2026-11-19T22:10:05.000Z',
      lastSeen: '2026-11-19T22:10:05.000Z',
    },
    {
      id: 'm3',
      name: 'FILE-01',
      dumps: ['d4'],
      firstSeen: '2026-11-19T22:10:05.000Z',
      lastSeen: '2026-11-19T22:10:05.000Z',
    },
  ],
};

/** An index of which every text is hostile. */
export const HOSTILE_INDEX: BatchIndex = poisoned(INDEX, FIXED);
