/**
 * Every kind of dump that each generation of Windows writes, built, analyzed and compared with the truth: totals, tag and
 * driver. docs/support-matrix.md is what came out; this test fails when the page says anything else
 * (`UPDATE_GOLDEN=1` writes it).
 */

import { expect } from 'chai';
import { readFileSync, writeFileSync } from 'node:fs';
import { buildDump, type DumpKind, type Scenario } from '../../../test-dumps/build-dump.js';
import { CULPRIT_PID, OBJECT_SCENARIOS } from '../../../test-dumps/objects/scenarios.js';
import { SCENARIOS } from '../../../test-dumps/scenarios.js';
import { readObjects } from '../../kernel/objects/objects.js';
import { analyze } from '../analyze.js';
import { expectTags, openBuilt } from './truth.test.helper.js';

const PAGE = new URL('../../../../docs/support-matrix.md', import.meta.url);

/** The kinds that a generation writes, by column. */
const WINDOWS_7: Partial<Record<Column, DumpKind>> = {
  complete: 'full', kernel: 'kernel', small: 'triage',
  '.dump /k': 'rdmp-kernel', '.dump /ka': 'rdmp-kernel-user', '.dump /f': 'rdmp-full',
}; // prettier-ignore
const WINDOWS_8: Partial<Record<Column, DumpKind>> = {
  ...WINDOWS_7, complete: 'bitmap-full', kernel: 'bitmap-kernel', automatic: 'automatic',
}; // prettier-ignore

/** Of 32-bit systems no dump by a debugger is known. */
const SMALLER_7: Partial<Record<Column, DumpKind>> = { complete: 'full', kernel: 'kernel', small: 'triage' };
const SMALLER_8: Partial<Record<Column, DumpKind>> = {
  complete: 'bitmap-full', kernel: 'bitmap-kernel', automatic: 'automatic', small: 'triage',
}; // prettier-ignore

const COLUMNS = ['complete', 'kernel', 'automatic', 'small', '.dump /k', '.dump /ka', '.dump /f'] as const;
type Column = (typeof COLUMNS)[number];

interface Row {
  windows: string;
  processor: string;
  scenario: Scenario;
  kinds: Partial<Record<Column, DumpKind>>;
}

const x64 = (windows: string, kernel: string, kinds = WINDOWS_8): Row => ({
  windows,
  processor: 'x64',
  scenario: { kernel },
  kinds,
});

/** 32-bit systems; from Windows 8 on all have PAE. */
const x86 = (windows: string, kernel: string, kinds = SMALLER_8): Row[] =>
  (kinds === SMALLER_7 ? [false, true] : [true]).map((pae) => ({
    windows,
    processor: pae ? 'x86 PAE' : 'x86',
    scenario: { ...SCENARIOS.leak32(), kernel, paging: { pae } },
    kinds,
  }));

const ROWS: readonly Row[] = [
  ...x86('2000 SP4', '5.0.2195.7376', SMALLER_7),
  ...x86('XP SP3', '5.1.2600.5512', SMALLER_7),
  ...x86('Server 2003 SP2', '5.2.3790.3959', SMALLER_7),
  ...x86('Vista SP2, Server 2008 SP2', '6.0.6002.18005', SMALLER_7),
  ...x86('7 SP1', '6.1.7601.17514', SMALLER_7),
  ...x86('8', '6.2.9200.16384'),
  ...x86('8.1', '6.3.9600.17415'),
  ...x86('10 1507', '10.0.10240.16384'),
  ...x86('10 2004-22H2', '10.0.19041.928'),
  x64('7 SP1, Server 2008 R2', '6.1.7601.24540', WINDOWS_7),
  x64('8.1, Server 2012 R2', '6.3.9600.21620'),
  x64('10 1607, Server 2016', '10.0.14393.5582'),
  x64('10 1809, Server 2019', '10.0.17763.4644'),
  x64('10 1903/1909', '10.0.18362.836'),
  x64('10 2004-22H2', '10.0.19041.804'),
  x64('Server 2022', '10.0.20348.2400'),
  x64('11 21H2', '10.0.22000.2538'),
  { windows: 'Server 2022', processor: 'x64, 5 levels', scenario: { kernel: '10.0.20348.2400', paging: { levels: 5 } }, kinds: WINDOWS_8 },
  { windows: '11 21H2', processor: 'ARM64', scenario: { kernel: '10.0.22000.2538', architecture: 'arm64' }, kinds: WINDOWS_8 },
  { windows: '11 24H2', processor: 'ARM64', scenario: { kernel: '10.0.26100.1', architecture: 'arm64' }, kinds: WINDOWS_8 },
]; // prettier-ignore

const WORDS = {
  whole: 'totals, tag, driver',
  partial: 'tag totals, tag, driver',
  small: 'says that it holds no pool tables',
} as const;

/** Analyzes one cell and says what it gave; throws when that is less than is claimed anywhere. */
function tryCell(row: Row, kind: DumpKind): string {
  const built = buildDump({ ...SCENARIOS.modernLeak(), ...row.scenario, kind });
  const result = analyze(openBuilt(built));
  if (kind === 'triage') {
    expect(result.poolTags).to.equal(null);
    expect(result.warnings.map((w) => w.code)).to.include('triage-dump');
    expect(result.modules).to.have.length(built.truth.modules.length);
    return WORDS.small;
  }
  const suspect = result.suspects[0];
  expect([suspect?.tag, suspect?.drivers[0]?.module, suspect?.drivers[0]?.confidence]).to.deep.equal([
    'AcNb',
    'acmenet.sys',
    'high',
  ]);
  expectTags(result, built.truth);
  const usage = result.memory?.nonPagedPoolUsage ?? null;
  if (usage === null) {
    expect(result.memory?.physicalMemory?.pages).to.equal(built.truth.memory.physicalMemory);
    expect(result.warnings.map((w) => w.code)).to.include('no-memory-layout');
    return WORDS.partial;
  }
  expect(usage.pages).to.equal(built.truth.memory.nonPagedPoolUsage);
  expect(result.memory?.commitLimit?.pages).to.equal(built.truth.memory.commitLimit);
  return WORDS.whole;
}

/** Objects are in kernel memory: what a kernel dump of each generation tells of them holds for the other kinds too. */
const OBJECTS = {
  all: 'processes, types, handles, holders',
  none: 'says what it cannot read',
  untried: 'not tried',
} as const;
const ENDED = 60;

/** Tries processes, types, handles and holders; throws when what is claimed is not as built. */
function tryObjects({ scenario: { kernel, architecture, paging, memory }, kinds }: Row): string {
  // No layouts of its objects are published to build them by.
  if (kernel?.startsWith('5.0.') === true) return OBJECTS.untried;
  const scenario: Scenario = {
    ...OBJECT_SCENARIOS.zombies(ENDED),
    ...{ modules: [], kind: kinds.kernel ?? 'kernel' },
    ...(kernel === undefined ? {} : { kernel }),
    ...(architecture === undefined ? {} : { architecture }),
    ...(paging === undefined ? {} : { paging }),
    ...(memory === undefined ? {} : { memory }),
  };
  const built = buildDump(scenario);
  const truth = built.truth.objects;
  if (!truth) throw new Error('no objects were built');
  const objects = readObjects(openBuilt(built).kernel);
  const list = objects.processes();
  if (list === null || objects.census() === null) {
    expect(objects.warnings).not.to.deep.equal([]);
    return OBJECTS.none;
  }
  expect(list.complete).to.equal(true);
  expect(list.processes.map(({ pid }) => pid).sort()).to.deep.equal(truth.processes.map(({ pid }) => pid).sort());
  expect(objects.census()?.complete).to.equal(true);
  expect(objects.census()?.handles).to.equal(truth.handles);
  for (const { name, objects: count, handles } of truth.types) {
    const type = objects.types()?.types.find((one) => one.name === name);
    expect([type?.objects, type?.handles], name).to.deep.equal([count, handles]);
  }
  const [first] = objects.holdersOfType('Process')?.processes ?? [];
  expect([first?.process.pid, first?.objects]).to.deep.equal([CULPRIT_PID, ENDED]);
  expect(first?.targets[0]).to.deep.equal({ name: 'cmd.exe (ended)', count: ENDED });
  return OBJECTS.all;
}

describe('the support matrix', function () {
  this.timeout(60_000);
  const found = new Map<string, string>();

  for (const row of ROWS) {
    for (const [column, kind] of Object.entries(row.kinds)) {
      it(`${row.windows}, ${row.processor}, ${column}`, () => {
        found.set(`${row.windows} ${row.processor} ${column}`, tryCell(row, kind));
      });
    }
  }

  for (const row of ROWS) {
    it(`${row.windows}, ${row.processor}, objects`, () => {
      found.set(`${row.windows} ${row.processor} objects`, tryObjects(row));
    });
  }

  it('is what docs/support-matrix.md says', () => {
    const lines = ROWS.map(({ windows, processor, kinds }) => {
      const cells = COLUMNS.map((column) =>
        kinds[column] === undefined ? 'n/a' : (found.get(`${windows} ${processor} ${column}`) ?? 'FAILED'),
      );
      const objects = found.get(`${windows} ${processor} objects`) ?? 'FAILED';
      return `| ${windows} | ${processor} | ${cells.join(' | ')} | ${objects} |`;
    });
    const text = [
      '# Support matrix', '',
      'Made by the test run (`src/analysis/whole-dumps/support-matrix.test.ts`): every cell is a dump of that kind, built for that kernel by',
      '`test-dumps/`, analyzed, and compared with what the builder knows to be in it. `n/a`: that Windows does not write it',
      '(of 32-bit systems no dump by a debugger is known; Windows 2000 and XP count tags only where pool tagging was turned on).', '',
      '- *totals, tag, driver*: the pool totals and the commit limit, every row of the pool tag table, and the leaking driver',
      '  (with high confidence) are as built.',
      '- *tag totals, tag, driver*: the same without the `!vm` figures. How much pool is in use is told by the sum of all tags',
      '  (`poolTags.totals`, compared as well), which is what the tables count, not what the memory manager does. ARM64 kernels',
      '  lay out `MiState` and `MiSystemPartition` as no x64 kernel does; only those of 24H2 are published. Of the others the',
      "  report names the kernel's PDB, which gives the figures (`--symbols`).",
      '- objects, in a kernel dump without drivers: *processes, types, handles, holders*: the processes, the counters of every object',
      '  type, the number of handles and who holds the ended processes are as built; *says what it cannot read*: a warning names it.',
      '  *not tried*: no layouts of its objects are published to build them by.',
      '- *says that it holds no pool tables*: a small memory dump has none; modules, bug check and unloaded drivers are read.', '',
      `| Windows | processor | ${COLUMNS.join(' | ')} | objects |`,
      `|---|---|${COLUMNS.map(() => '---').join('|')}|---|`,
      ...lines, '',
    ].join('\n'); // prettier-ignore
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(PAGE, text);
    expect(text).not.to.include('FAILED');
    expect(readFileSync(PAGE, 'utf8').replaceAll('\r\n', '\n')).to.equal(text);
  });
});
