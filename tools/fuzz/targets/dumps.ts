/** Whole dumps of every kind of body, processor and generation: all that the commands on one dump do with them. */

import { InputError } from '../../../parsers/bytes/input-error.js';
import { MemorySource } from '../../../parsers/bytes/source.js';
import { OpenedDump } from '../../../src/kernel/open/opened-dump.js';
import { analyze } from '../../../src/analysis/analyze.js';
import { inspect } from '../../../src/analysis/inspect.js';
import { searchModules } from '../../../src/analysis/search.js';
import { csvFiles } from '../../../src/report/csv.js';
import { renderJson } from '../../../src/report/json.js';
import { renderAnalysis } from '../../../src/report/text/analyze.js';
import { renderInfo } from '../../../src/views/info.js';
import { renderModules } from '../../../src/views/modules.js';
import { renderPoolUsed } from '../../../src/views/poolused.js';
import { parsePoolUsedArguments } from '../../../src/views/poolused-words.js';
import { renderVm } from '../../../src/views/vm.js';
import { buildDump, type Scenario } from '../../../test-dumps/build-dump.js';
import { defaultRows } from '../../../test-dumps/defaults.js';
import type { FuzzTarget } from '../target.js';

/** A small machine, so that thousands of runs are cheap. */
const TINY: Scenario = {
  kernel: '10.0.19041.804',
  processors: 2,
  memory: { bytes: 32 * 2 ** 20 },
  modules: [
    { name: 'hal.dll', size: 0x8000 },
    { name: 'acmenet.sys', size: 0x9000, tags: [{ tag: 'Leak', style: 'alloc' }, { tag: 'Leak', style: 'text', text: 'xLeaky' }] },
  ], // prettier-ignore
  pool: {
    rows: [
      ...defaultRows(),
      { tag: 'Leak', nonPaged: { allocs: 5000, frees: 12, bytes: 30_000_000 } },
      { tag: 'File', nonPaged: { allocs: 900, frees: 100, bytes: 300_000 } },
    ],
  },
  unloaded: [{ name: 'old.sys' }, { name: 'older.sys' }],
};
const BLOBS = [{ guid: 'e83b40d2-b0a0-4842-abea-71c9e3463dd1', hex: '4d434647'.repeat(40) }];
/** LiveDumpGeneratedDump, and the bug check of a live dump. */
const LIVE = { attributes: 0x10, bugCheckCode: 0x161 };

/** Every kind: what stands beside the tiny machine. Several scenarios are seeds of one target. */
const KINDS: Readonly<Record<string, readonly Scenario[]>> = {
  'x64-full': [{ kind: 'full' }, { kind: 'full', kernel: '7601' }],
  'x64-kernel-old-bitmap': [{ kind: 'kernel', kernel: '7601' }],
  'x64-bitmap': [{ kind: 'bitmap-kernel' }, { kind: 'bitmap-full', kernel: '10.0.22000.2538' }],
  'x64-automatic': [{ kind: 'automatic', kernel: '9600' }],
  'x64-live': [{ kind: 'bitmap-kernel', kernel: '10.0.22000.2538', header: LIVE, secondaryData: BLOBS }],
  'x64-rdmp': [
    { kind: 'rdmp-kernel' },
    { kind: 'rdmp-kernel-user', kernel: '17763' },
    { kind: 'rdmp-full', kernel: '14393' },
  ],
  'x64-triage': [{ kind: 'triage' }, { kind: 'triage', kernel: '7601', secondaryData: BLOBS }],
  'x64-5-levels': [
    { kind: 'bitmap-kernel', kernel: '10.0.20348.2400', paging: { levels: 5 } },
    { kind: 'rdmp-kernel', kernel: '10.0.20348.2400', paging: { levels: 5 } },
  ],
  'x64-unknown-kernel': [
    { kind: 'bitmap-kernel', hideIdentity: 'unknown-all' },
    { kind: 'bitmap-kernel', hideIdentity: 'headers-missing', kdbg: { encoded: true } },
  ],
  'x64-damaged': [
    {
      header: { directoryTableBase: 'wrong' },
      moduleList: { breakAfter: 1, breakBefore: 2 },
      startBlock: true,
      secondaryData: BLOBS,
    },
    { kernel: '7601', moduleList: { loopAfter: 1 }, header: { kdbgPointer: 'null' } },
  ],
  'x64-sessions-verifier': [
    { kind: 'full', kernel: '7601', verifier: { level: 8, drivers: ['acmenet.sys'] }, processes: [{ name: 'System' }] },
  ],
  arm64: [
    { kind: 'bitmap-kernel', kernel: '10.0.22000.2538', architecture: 'arm64' },
    { kind: 'full', kernel: '10.0.22000.2538', architecture: 'arm64' },
  ],
  'arm64-triage': [{ kind: 'triage', kernel: '10.0.22000.2538', architecture: 'arm64' }],
  x86: [
    { kind: 'full', kernel: '2195', architecture: 'x86', paging: { pae: false } },
    { kind: 'full', kernel: '2600', architecture: 'x86', paging: { pae: false } },
    { kind: 'kernel', kernel: '7601', architecture: 'x86', paging: { pae: false } },
  ],
  'x86-pae': [
    { kind: 'kernel', kernel: '3790', architecture: 'x86' },
    { kind: 'full', kernel: '6002', architecture: 'x86' },
    { kind: 'bitmap-kernel', kernel: '19041', architecture: 'x86' },
    { kind: 'automatic', kernel: '9600', architecture: 'x86' },
  ],
  'x86-triage': [
    { kind: 'triage', kernel: '7601', architecture: 'x86', dataBlockSize: 12 },
    { kind: 'triage', kernel: '2600', architecture: 'x86', paging: { pae: false } },
  ],
};

/** One target for each kind of dump. */
export const DUMP_TARGETS: readonly FuzzTarget[] = Object.entries(KINDS).map(([kind, scenarios]) => ({
  name: `dump-${kind}`,
  share: 0.25,
  seeds: scenarios.map((scenario) => () => buildDump({ ...TINY, ...scenario }).toBytes()),
  feed: feedDump,
}));

/** All that the commands do with a dump. Throws what they would not put in one line for the user. */
export function feedDump(input: Uint8Array): void {
  try {
    const source = new MemorySource(input, 'fuzz.dmp');
    useDump(OpenedDump.over('fuzz.dmp', { source, fileBytes: input.length, container: null, damage: null }));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
}

function useDump(opened: OpenedDump): void {
  const inspection = inspect(opened);
  renderInfo(inspection);
  JSON.stringify(inspection);
  const result = analyze(opened, { tag: 'Leak' });
  renderAnalysis(result);
  JSON.parse(renderJson(result));
  csvFiles(result);
  renderVm(result);
  renderModules(result);
  const options = parsePoolUsedArguments([]);
  if (!('error' in options)) renderPoolUsed(result, options);
  searchModules(opened, { bytes: Uint8Array.of(0x4c, 0x65, 0x61, 0x6b) });
}
