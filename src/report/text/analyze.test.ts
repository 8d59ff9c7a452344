import { expect } from 'chai';
import type { AnalysisResult, Suspect } from '../../result/result.js';
import { NO_EVIDENCE } from '../golden/samples.js';
import { renderAnalysis } from './analyze.js';
import { acceptanceBlock, goldenBeside, mapStrings } from '../../views/golden.test.helper.js';
import { renderInfo } from '../../views/info.js';
import { renderModules } from '../../views/modules.js';
import { renderPoolUsed } from '../../views/poolused.js';
import { bareResult, memoryOf, moduleInfo } from '../../views/results.test.helper.js';
import { healthyResult, leakResult, triageResult } from '../../views/samples.test.helper.js';
import { renderSearch } from '../../views/search.js';
import { renderVm } from '../../views/vm.js';

const expectGolden = goldenBeside(import.meta.url);

const NOTHING_KNOWN: Suspect = {
  tag: 'Nope',
  pool: 'paged',
  bytes: '18446744073709551615',
  outstanding: '18446744073709551615',
  averageBytes: null,
  shareOfPool: null,
  shareOfMemory: null,
  confidence: 'low',
  reasons: [],
  against: [],
  drivers: [],
  searched: null,
  related: [],
};

/** Two suspects, one in paged pool, and figures that are at their limits. */
function busyResult(): AnalysisResult {
  const leak = leakResult();
  const flag = {
    message: 'Commit is at its limit.',
    value: 660000,
    limit: 665998,
    percent: 99.1,
    basis: 'commit limit',
  };
  return {
    ...leak,
    dump: { ...leak.dump, live: true, truncated: true, container: 'gzip' },
    memory: {
      ...leak.memory!,
      poolAllocationFailures: { count: 48530, source: 'profile' },
      flags: [...leak.memory!.flags, { code: 'commit-near-limit', ...flag }],
    },
    poolTags: {
      ...leak.poolTags!,
      complete: false,
      reconciliation: {
        nonPaged: { tagBytes: 640000000, poolBytes: 636399616, unexplainedBytes: -3600384 },
        paged: null,
      },
    },
    suspects: [...leak.suspects, NOTHING_KNOWN],
  };
}

const text = (result: AnalysisResult, options = {}) => renderAnalysis(result, options);
const UNSAFE = /[^\P{C}\n\t]|[\u200b-\u200f\u2028-\u202e\u2060-\u2069]/u;

describe('the report of analyze', () => {
  it('reads well for a leak', () => {
    expectGolden('analyze-leak.txt', text(leakResult()));
  });

  it('reads well in 80 columns and ASCII', () => {
    expectGolden('analyze-busy-80-ascii.txt', text(busyResult(), { width: 80, ascii: true, top: 3 }));
  });

  it('names whose the largest tags are, and those of third parties together', () => {
    const result = healthyResult();
    const tags = result.poolTags!;
    const owner = { base: null, confidence: 'high', basis: 'code' } as const;
    const [first, ...rest] = tags.rows;
    const rows = [
      { ...first!, tag: 'La57', binary: null, description: null, owner: { ...owner, module: 'fabsec.sys' } },
      {
        ...first!,
        tag: 'Prob',
        binary: null,
        description: null,
        owner: { ...owner, module: 'other.sys', confidence: 'medium' as const },
      },
      { ...first!, owner: { ...owner, module: 'ntoskrnl.exe', basis: 'list' as const, confidence: 'medium' as const } },
      ...rest,
    ];
    const report = text({ ...result, poolTags: { ...tags, rows } });
    expect(report)
      .to.match(/ {2}La57 .* fabsec\.sys \(code, high\)\n/)
      .and.match(/ {2}EtwB .* nt!etw: Etw Buffer\n/);
    expect(report).to.match(
      /\n {2}Largest third-party holders: La57 [\d.]+ MB \(fabsec\.sys\), Prob [\d.]+ MB \(other\.sys, probably\)\n/,
    );
    expect(text(result)).not.to.contain('third-party');
  });

  it('is calm about a healthy dump', () => {
    const report = text(healthyResult());
    expectGolden('analyze-healthy.txt', report);
    expect(report).to.not.match(/suspect:|!!|Excessive|Warnings|Next steps/i);
  });

  it('says what a small dump cannot tell, and what it holds', () => {
    const report = text(triageResult(), { width: 80 });
    expectGolden('analyze-triage.txt', report);
    expect(report).to.not.match(/kd>|could not be read/);
  });

  it('says what is not known', () => {
    expectGolden('analyze-bare.txt', text(bareResult()));
  });

  it('holds the transcripts of the worked example, line by line', function () {
    const commands = ['!vm 1', '!poolused /t5 2', '!for_each_module s -a @#Base @#End "Leak"', 'lm a fffff880044b63aa'];
    const blocks = commands.map(acceptanceBlock);
    // The acceptance text stands outside of the project.
    if (blocks.includes(null)) return this.skip();
    const lines = text(leakResult()).split('\n');
    const rows = blocks.flatMap((block) => block ?? []).filter((line) => !/Locked IO|Session Commit/.test(line));
    expect(rows.length).to.be.greaterThan(40);
    let at = lines.findIndex((line) => line === 'kd> !vm 1');
    for (const row of rows) {
      at = lines.indexOf(row, at + 1);
      expect(at, `"${row}" in its place`).to.be.greaterThan(0);
    }
  });

  it('begins with the verdict', () => {
    expect(text(leakResult()).split('\n')[0]).to.equal(leakResult().verdict.headline);
  });

  it('keeps to the width', () => {
    for (const width of [60, 80, 100, 120]) {
      const [ours] = text(busyResult(), { width }).split(' As the debugger shows it ');
      const lines = ours!.split('\n').slice(0, -1);
      expect(lines.length).to.be.greaterThan(60);
      // The tables need 80.
      expect(lines.filter((line) => line.length > Math.max(width, 80))).to.deep.equal([]);
    }
  });

  it('has colours only when told so, and says the same with them', () => {
    const escapes = /\u001b\[\d+m/g;
    for (const result of [busyResult(), healthyResult(), triageResult()]) {
      const plain = text(result);
      const coloured = text(result, { color: true });
      expect(plain).to.not.match(escapes);
      expect(coloured.match(escapes)?.length ?? 0).to.be.greaterThan(4);
      expect(coloured.replace(escapes, '')).to.equal(plain);
    }
  });

  it('is pure ASCII when told so, whatever the names', () => {
    const result = mapStrings(busyResult(), (value, key) =>
      key === 'message' || key === 'path' ? `${value} Größe 😀` : value,
    );
    expect(text(result, { ascii: true }))
      .to.match(/^[\x00-\x7f]*$/)
      .and.to.include('Gr??e ?');
    expect(text(result)).to.include('Größe 😀');
  });

  it('lets no control character, direction mark or line feed out of names and messages', () => {
    // Fields with fixed values stay: they are made by the program.
    const fixed =
      /^(type|format|source|confidence|pool|kind|architecture|productType|tagSource|tool|unexplainedBytes)$/;
    const hostile = (value: string, key: string) =>
      fixed.test(key) || /^\d+$/.test(value)
        ? value
        : `${value}\u001b]0;x\u0007\u009b31m\u202e\u2066\r\nEVIL\u0000\ud800`;
    // Addresses that are none turn off what depends on them, so both ways are tried.
    const keepHex = (value: string, key: string) => (value.startsWith('0x') ? value : hostile(value, key));
    const busy = structuredClone(busyResult());
    const [evidence] = busy.suspects[0]!.drivers[0]!.evidence;
    evidence!.symbol = 'myfault!DriverEntry';
    busy.system = { ...busy.system!, machineName: 'SERVER-1' };
    const searched = { modules: 1, notTranslatable: 0, pagesPresent: 1, pagesMissing: 0 };
    const hits = [{ module: 3, address: 1n, bytes: new Uint8Array(16) }];
    for (const change of [hostile, keepHex]) {
      const result = mapStrings(busy, change);
      const reports = [
        text(result),
        renderVm(result),
        renderVm(result, { layout: 'new' }),
        renderPoolUsed(result, { flags: 3 }),
        renderModules(result),
        renderSearch({ ...result, modules: result.modules!, pattern: change('Leak', ''), hits, searched }),
        renderInfo({ ...result, canAnalyze: { modules: true, memory: true, poolTags: true, tagSearch: true } }),
      ];
      for (const report of reports) {
        expect(UNSAFE.exec(report)?.[0].codePointAt(0)).to.equal(undefined);
        expect(report).to.include('EVIL').and.to.not.match(/^EVIL/m);
      }
    }
  });

  it('prints no null, undefined or NaN where nothing is known', () => {
    const nothing = { evidence: [], module: 'x.sys', confidence: 'low' as const };
    const evidence = { ...NO_EVIDENCE, kind: 'tag-rule' as const };
    const result: AnalysisResult = {
      ...busyResult(),
      memory: memoryOf({}),
      modules: [moduleInfo('y.sys', 0x1000n, 0x1000, { path: null, pagesPresent: null })],
      suspects: [NOTHING_KNOWN, { ...NOTHING_KNOWN, drivers: [nothing, { ...nothing, evidence: [evidence] }] }],
      system: {
        buildNumber: null,
        version: null,
        name: null,
        productType: null,
        buildLab: null,
        machineName: null,
        kernelBase: null,
        kernelPdb: null,
        symbols: null,
      },
    };
    for (const some of [result, bareResult(), { ...result, modules: null, unloadedModules: [] }]) {
      expect(text(some)).to.not.match(/null|undefined|NaN|Infinity/);
    }
    expect(text(result)).to.include('Drivers: none named; the modules were not searched');
    expect(text(result)).to.not.match(/\b0\.0 %|\b0 bytes\b/);
  });

  it('is bounded for many suspects, drivers and warnings', () => {
    const leak = leakResult();
    const [suspect] = leak.suspects;
    const [driver] = suspect!.drivers;
    const many = <T>(item: T): T[] => Array.from({ length: 500 }, () => item);
    const crowd = { ...suspect!, drivers: many({ ...driver!, evidence: many(driver!.evidence[0]!) }) };
    const report = text({ ...leak, suspects: many(crowd), warnings: many(leak.warnings[0]!) });
    expect(report)
      .to.include('And 495 more suspects')
      .and.to.include('and 496 more drivers')
      .and.to.include('480 more');
    expect(report.split('\n').filter((line) => line.includes('more places')).length).to.equal(20);
  });

  it('gives bytes to search for where a tag cannot be typed', () => {
    const leak = leakResult();
    const rows = leak.poolTags!.rows.map((row) =>
      row.tag === 'Leak' ? { ...row, tag: 'rx..', hex: '0x00007872' } : row,
    );
    const result = {
      ...leak,
      poolTags: { ...leak.poolTags!, rows: rows.slice(0, 1) },
      suspects: [{ ...leak.suspects[0]!, tag: 'rx..', key: '0x00007872' }],
    };
    expect(text(result)).to.include('kd> s -b fffff880`044b5000 fffff880`044bc000 72 78 00 00\n');
  });
});
