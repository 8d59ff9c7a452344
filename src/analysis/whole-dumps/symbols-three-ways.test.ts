/**
 * The same dumps by their profile, by their PDB, by a profile file and by nothing: the same tag table and driver; memory figures from each that
 * has them. Among the kernels are two that no table knows.
 */

import { expect } from 'chai';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { failed } from '../../../parsers/bytes/failure.js';
import { MemorySource } from '../../../parsers/bytes/source.js';
import { openPdb } from '../../../parsers/pdb/pdb.js';
import { pdbFacts } from '../../../symbols/pdb-symbols.js';
import { makeProfile } from '../../../symbols/profile-file.js';
import { SymbolSources } from '../../../symbols/sources.js';
import { parseSymbolPath } from '../../../symbols/store/symbol-path.js';
import { buildDump, type BuiltDump } from '../../../test-dumps/build-dump.js';
import { kernelFacts, kernelVersions } from '../../../test-dumps/kernel-facts.js';
import { kernelPdb } from '../../../test-dumps/pdb/kernel-pdb.js';
import { SCENARIOS } from '../../../test-dumps/scenarios.js';
import type { OpenKernelOptions } from '../../kernel/open/open-kernel.js';
import { OpenedDump } from '../../kernel/open/opened-dump.js';
import { analyze } from '../analyze.js';
import { MEMORY_FIELDS, type AnalysisResult, type MemoryField } from '../../result/result.js';
import { expectHits, expectTags, openBuilt } from './truth.test.helper.js';

const CORPUS = new URL('../../../../../shared/corpus/dumps/', import.meta.url);
/** Kernels without a built-in profile. */
const UNKNOWN = /^10\.0\.(?:22621|26100)\./;
/** The figures that the debugger block leads to before Windows 10; from then on all are found by content but for these. */
const NEVER_BY_CONTENT: readonly MemoryField[] = ['nonPagedPoolNxUsage', 'sessionCommit'];
/** Those that the debugger block of Windows 7 to 8.1 does not lead to. */
const NOT_IN_BLOCK: readonly MemoryField[] = [
  'freeSystemPtes', 'modifiedPageFilePages', 'specialPool', 'nonPagedPoolNxUsage', 'sessionCommit',
]; // prettier-ignore

describe('a dump by profile, by PDB, by a profile file and by nothing', function () {
  this.timeout(180_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-ways-'));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** Writes the kernel's PDB into a store, its profile into a folder. */
  function publish(
    version: string,
    changed: { guid?: string; age?: number } = {},
  ): { store: string; profiles: string } {
    const kernel = kernelFacts(version);
    const [store, profiles] = [join(folder, 'store', version), join(folder, 'profiles', version)];
    const bytes = kernelPdb(kernel, changed);
    const place = join(store, 'ntkrnlmp.pdb', `${kernel.pdb.guid}${kernel.pdb.age.toString(16).toUpperCase()}`);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'ntkrnlmp.pdb'), bytes);
    const pdb = openPdb(new MemorySource(bytes, 'ntkrnlmp.pdb'));
    if (failed(pdb)) throw new Error(pdb.message);
    mkdirSync(profiles, { recursive: true });
    writeFileSync(join(profiles, 'one.profile.txt'), makeProfile(pdbFacts(pdb, { pdbName: 'ntkrnlmp.pdb' })));
    return { store, profiles };
  }

  function sources(spec: { store?: string; profiles?: string }): SymbolSources {
    const path = parseSymbolPath(
      spec.store === undefined ? [] : [`srv*${spec.store}`],
      {},
      { defaultCache: join(folder, 'cache') },
    );
    return new SymbolSources({ path, env: {}, profiles: spec.profiles === undefined ? [] : [spec.profiles] });
  }

  /** Opens a dump that is not in a file, with symbols. */
  async function opened(
    built: BuiltDump,
    symbols: SymbolSources,
    options: OpenKernelOptions = {},
  ): Promise<OpenedDump> {
    const file = join(folder, 'one.dmp');
    built.writeTo(file);
    return OpenedDump.open(file, { ...options, symbols });
  }

  function expectFigures(result: AnalysisResult, built: BuiltDump, without: readonly MemoryField[], way: string): void {
    for (const field of MEMORY_FIELDS) {
      if (without.includes(field)) continue;
      expect(result.memory?.[field]?.pages ?? null, `${way}: ${field}`).to.equal(built.truth.memory[field]);
    }
  }

  for (const kernel of kernelVersions()) {
    it(`${kernel}: the same tag table, the same driver`, async () => {
      const built = buildDump({ ...SCENARIOS.modernLeak(), kernel });
      const { store, profiles } = publish(kernel);
      const check = (result: AnalysisResult, way: string): void => {
        expectTags(result, built.truth);
        expect(result.suspects[0]?.tag, way).to.equal('AcNb');
        expect(result.suspects[0]?.drivers[0], way).to.deep.include({ module: 'acmenet.sys', confidence: 'high' });
      };
      const isOld = kernelFacts(kernel).build < 10240;

      for (const [way, source] of [
        ['PDB', sources({ store })],
        ['profile file', sources({ profiles })],
      ] as const) {
        const dump = await opened(built, source, { hideProfiles: true });
        const result = analyze(dump);
        expect(result.system?.symbols?.source, way).to.equal(way === 'PDB' ? 'pdb' : 'profile');
        expect(result.system?.symbols?.detail, way).to.match(/^exact match: /);
        check(result, way);
        expectHits(dump, built.truth);
        expectFigures(result, built, ['nonPagedPoolNxUsage'], way);
        for (const { source: from } of MEMORY_FIELDS.flatMap((field) => result.memory?.[field] ?? [])) {
          expect(from, way).to.be.oneOf([result.system!.symbols!.source, 'header', 'derived']);
        }
        dump.close();
        source.close();
      }

      const nothing = analyze(openBuilt(built, { hideProfiles: true }));
      expect(nothing.system?.symbols?.source).to.equal('kdbg');
      check(nothing, 'nothing');
      expectFigures(nothing, built, isOld ? NOT_IN_BLOCK : NEVER_BY_CONTENT, 'nothing');
      const codes = nothing.warnings.map(({ code }) => code);
      expect(codes).to.include.members(['pool-size-inferred', 'processor-tables-searched']);
      expect(codes.filter((code) => code === 'memory-state-searched')).to.have.length(isOld ? 0 : 2);

      if (UNKNOWN.test(kernel)) return;
      const own = analyze(openBuilt(built));
      expect(own.system?.symbols).to.deep.equal({ source: 'profile', detail: 'exact match' });
      check(own, 'profile');
    });
  }

  it('a PDB beats the built-in profile when it is of this kernel, and what it lacks the profile tells', async () => {
    const kernel = '10.0.19041.804';
    const built = buildDump({ ...SCENARIOS.modernLeak(), kernel });
    const source = sources({ store: publish(kernel).store });
    const dump = await opened(built, source);
    const result = analyze(dump);
    expect(result.system?.symbols?.source).to.equal('pdb');
    expect(result.memory?.nonPagedPoolUsage?.source).to.equal('pdb');
    expect(dump.kernel.symbols?.layout('_SEGMENT_HEAP')?.source).to.equal('profile');
    expectTags(result, built.truth);
    dump.close();
    source.close();
  });

  for (const [what, changed] of [
    ['GUID', { guid: 'FEDCBA9876543210FEDCBA9876543210' }],
    ['age', { age: 7 }],
  ] as const) {
    it(`a PDB of another ${what} is a warning and is not used`, async () => {
      for (const kernel of ['10.0.19041.804', '10.0.26100.1']) {
        const built = buildDump({ ...SCENARIOS.modernLeak(), kernel });
        const { store, profiles } = publish(kernel, changed);
        const source = sources({ store, profiles });
        const dump = await opened(built, source);
        const result = analyze(dump);
        expect(result.system?.symbols?.source).to.equal(kernel === '10.0.26100.1' ? 'kdbg' : 'profile');
        expect(result.system?.symbols?.detail).not.to.include('ntkrnlmp.pdb');
        const codes = result.warnings.map(({ code }) => code);
        expect(codes).to.include('pdb-mismatch');
        if (kernel === '10.0.26100.1') expect(codes).to.include.members(['pdb-not-found', 'no-profile']);
        expectTags(result, built.truth);
        dump.close();
        source.close();
      }
    });
  }

  it('a PDB that puts PoolTrackTable elsewhere than the debugger block is refused', async () => {
    const kernel = kernelFacts('10.0.26100.1');
    const built = buildDump({ ...SCENARIOS.modernLeak(), kernel: kernel.version });
    const { store } = publish(kernel.version);
    const moved = { ...kernel, rva: { ...kernel.rva, PoolTrackTable: kernel.rva['PoolTrackTable']! + 0x40 } };
    writeFileSync(join(store, 'ntkrnlmp.pdb', `${kernel.pdb.guid}1`, 'ntkrnlmp.pdb'), kernelPdb(moved));
    const source = sources({ store });
    const dump = await opened(built, source);
    const result = analyze(dump);
    expect(result.system?.symbols?.source).to.equal('kdbg');
    expect(result.warnings.map(({ code }) => code)).to.include('profile-rejected');
    expectTags(result, built.truth);
    dump.close();
    source.close();
  });

  it('the shared corpus: every forged dump has the same tag table and drivers by PDB, by profile and by nothing', async function () {
    if (!existsSync(CORPUS)) {
      process.stderr.write('      skipped: the shared corpus is not beside the project\n');
      this.skip();
    }
    const told = ({ poolTags, suspects }: AnalysisResult): unknown => ({
      rows: poolTags?.rows.map(({ tag, paged, nonPaged }) => ({ tag, paged, nonPaged })),
      suspects: suspects.map(({ tag, drivers }) => [
        tag,
        drivers.map(({ module, confidence }) => [module, confidence]),
      ]),
    });
    const read = async (
      file: string,
      options: OpenKernelOptions & { symbols?: SymbolSources },
    ): Promise<AnalysisResult> => {
      const dump = await OpenedDump.open(fileURLToPath(new URL(file, CORPUS)), options);
      const result = analyze(dump);
      dump.close();
      return result;
    };
    let byPdb = 0;
    for (const file of readdirSync(CORPUS).filter((name) => /^forged-.*\.dmp\.gz$/.test(name))) {
      const own = await read(file, {});
      expect(told(await read(file, { hideProfiles: true })), `${file} by nothing`).to.deep.equal(told(own));
      const guid = own.system?.kernelPdb?.guid;
      const version = kernelVersions().find((one) => kernelFacts(one).pdb.guid === guid);
      if (version === undefined) continue;
      const source = sources({ store: publish(version).store });
      const result = await read(file, { hideProfiles: true, symbols: source });
      source.close();
      if (result.poolTags === null) continue;
      expect(result.system?.symbols?.source, file).to.equal('pdb');
      expect(told(result), `${file} by PDB`).to.deep.equal(told(own));
      byPdb++;
    }
    expect(byPdb).to.be.at.least(4);
  });
});
