/**
 * Whole dumps that this project did not make, against what a correct analysis finds in them: every figure of every
 * x64 dump of types 1, 2 and 4 to 7. Skipped where the shared corpus is not beside the project.
 */

import { expect } from 'chai';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { analyze, openDump, searchModules, type AnalysisResult, type MemoryField } from '../../index.js';
import type { Arm64Use } from '../../kernel/state.js';
import { typedTag } from '../../result/tag.js';
import { MEMORY_FIELDS } from '../../result/result.js';

const DUMPS = new URL('../../../../../shared/corpus/dumps/', import.meta.url);
const present = existsSync(DUMPS);

interface Expected {
  forge: {
    scenario: string;
    arch: string;
    pae: boolean | null;
    verdict: { leak: string | null; kind?: string; driver?: string | null; candidates?: string[] };
  };
  file: { kind: string; pages_present: number };
  header: Record<string, unknown> & {
    bugcheck: string;
    params: string[];
    dtb: string;
    processors: number;
    minor: number;
  };
  kdbg: { build_lab: string; kern_base: string };
  kernel_pdb: { age: number; guid: string; name: string };
  modules: ExpectedModule[];
  unloaded: { name: string; start: string; end: string }[];
  pool: {
    table: { size: number; tables: string[] };
    rows: ExpectedRow[];
    totals: Record<'np_allocs' | 'np_bytes' | 'p_allocs' | 'p_bytes', number>;
  };
  vm: Record<string, { value: number | string }>;
  tag_hits: Record<string, ExpectedHit[]>;
  /** Only of ARM64: tags built in two halves. */
  tag_hits_split?: Record<string, (ExpectedHit & { second: string; register: number; between: number })[]>;
  pages_in_transition: { va: string; in_dump: boolean }[];
}
interface ExpectedModule {
  name: string; path: string; base: string; end: string; size: number; checksum: string; timestamp: string;
  headers_readable: boolean; pages_not_readable: string[];
  version: { company: string; file: string; readable: boolean } | null;
} // prettier-ignore
interface ExpectedRow {
  key: string; protected: boolean;
  np_allocs_total: number; np_frees_total: number; np_diff: number; np_bytes: number;
  p_allocs_total: number; p_frees_total: number; p_diff: number; p_bytes: number;
} // prettier-ignore
interface ExpectedHit {
  module: string; address: string; offset: string; bytes: string; section: string; genuine: boolean; in_dump: boolean;
  style: string;
} // prettier-ignore

/** Names of the forge's figures and of the contract's. */
const FIGURES: Readonly<Record<string, MemoryField>> = {
  physical: 'physicalMemory', available: 'availablePages', resavail: 'residentAvailablePages', free_ptes: 'freeSystemPtes',
  modified: 'modifiedPages', modified_pf: 'modifiedPageFilePages', np_usage: 'nonPagedPoolUsage', np_max: 'nonPagedPoolMaximum',
  paged_usage: 'pagedPoolUsage', paged_max: 'pagedPoolMaximum', shared_commit: 'sharedCommit', special_pool: 'specialPool',
  shared_process: 'sharedProcess', paged_commit: 'pagedPoolCommit', np_commit: 'nonPagedPoolCommit', driver_commit: 'driverCommit',
  committed: 'committedPages', limit: 'commitLimit', peak: 'peakCommitment',
}; // prettier-ignore

/** Figures whose variable the debugger block does not name: without symbols, as on 32-bit kernels, they are unknown. */
const NOT_IN_DEBUGGER_BLOCK: ReadonlySet<string> = new Set(['modified_pf']);

const names = present
  ? readdirSync(DUMPS)
      .filter((name) => name.startsWith('forged-') && name.endsWith('.dmp.gz'))
      .map((name) => name.slice(0, -'.dmp.gz'.length))
  : [];

describe('the shared corpus', function () {
  this.timeout(60_000);

  if (!present) {
    it('is not beside the project: its dumps are not checked', function () {
      this.skip();
    });
  }

  for (const name of names) {
    describe(name, () => {
      const expected = present
        ? (JSON.parse(readFileSync(new URL(`${name}.expected.json`, DUMPS), 'utf8')) as Expected)
        : ({} as Expected);
      const isTriage = expected.file.kind === 'triage';
      let result: AnalysisResult;
      /** Of kernels that a profile covers; of others only what the debugger block, the header and searches tell. */
      const hasProfile = expected.forge.arch !== 'arm64';
      /** A kernel that no table knows: the memory manager's state is found by its content. */
      const isNew = expected.header.minor === 26100;
      let hits: Record<
        string,
        { module: string; address: string; bytes: string; section: string | null; use: Arm64Use | undefined }[]
      >;

      before(async () => {
        const dump = await openDump(fileURLToPath(new URL(`${name}.dmp.gz`, DUMPS)));
        try {
          result = analyze(dump);
          hits = {};
          for (const tag of Object.keys(expected.tag_hits)) {
            const found = searchModules(dump, { tag: typedTag(tag)! });
            hits[tag] = found.hits.map((h) => ({
              module: found.modules[h.module]!.name,
              address: `0x${h.address.toString(16)}`,
              bytes: Buffer.from(h.bytes).toString('hex'),
              section: h.section,
              use: h.arm64,
            }));
          }
        } finally {
          dump.close();
        }
      });

      it('gives what the header says', () => {
        const { dump, system } = result;
        expect(dump.bugCheck?.code).to.equal(expected.header.bugcheck);
        expect(dump.bugCheck?.parameters).to.deep.equal(expected.header.params);
        expect(dump.processors).to.equal(expected.header.processors);
        expect(dump.directoryTableBase).to.equal(expected.header.dtb);
        expect(dump.type).to.equal(expected.file.kind);
        expect(system?.buildNumber).to.equal(expected.header.minor);
        if (!isTriage) expect(dump.pagesPresent).to.equal(expected.file.pages_present);
      });

      it('names every module with its identity', () => {
        expect(result.modules?.map((m) => m.name)).to.deep.equal(expected.modules.map((m) => m.name));
        // Pages in transition are in memory, but a kernel dump need not hold them.
        const leftOut = expected.pages_in_transition.filter((p) => !p.in_dump).map((p) => BigInt(p.va));
        expected.modules.forEach((m, i) => {
          const found = result.modules![i]!;
          expect([found.base, found.end, found.sizeOfImage], m.name).to.deep.equal([m.base, m.end, m.size]);
          expect(found.timeDateStamp, m.name).to.equal(m.timestamp);
          expect(found.checkSum, m.name).to.equal(m.checksum);
          if (isTriage) return;
          expect(found.path, m.name).to.equal(m.path);
          const gone =
            m.pages_not_readable.length + leftOut.filter((va) => va >= BigInt(m.base) && va < BigInt(m.end)).length;
          expect(found.pagesTotal - (found.pagesPresent ?? 0), m.name).to.equal(gone);
          if (m.version?.readable === true) {
            expect(found.version?.companyName, m.name).to.equal(m.version.company);
            expect(found.version?.fileVersion, m.name).to.equal(m.version.file);
          }
        });
      });

      it('lists the unloaded drivers', () => {
        const key = (d: { start: string | null; end: string | null }): string => `${d.start} ${d.end}`;
        expect(result.unloadedModules?.map(key).sort()).to.deep.equal(expected.unloaded.map(key).sort());
      });

      if (isTriage) {
        it('says that it holds no pool tables', () => {
          expect(result.poolTags).to.equal(null);
          expect(result.memory).to.equal(null);
          expect(result.suspects).to.deep.equal([]);
          expect(result.warnings.map((w) => w.code)).to.include('triage-dump');
        });
        return;
      }

      it('knows the kernel', () => {
        expect(result.system?.kernelBase).to.equal(expected.kdbg.kern_base);
        const { name: pdbName, guid, age } = expected.kernel_pdb;
        expect(result.system?.kernelPdb).to.deep.equal({ name: pdbName, guid, age });
        if (hasProfile) {
          expect(result.system?.symbols).to.deep.equal(
            expected.forge.arch === 'x86'
              ? { source: 'kdbg', detail: 'layouts of 5.2.3790.3959, addresses from the debugger block' }
              : isNew
                ? {
                    source: 'kdbg',
                    detail: 'layouts of 10.0.26100.0, addresses from the debugger block and by content',
                  }
                : { source: 'profile', detail: 'exact match' },
          );
          const { arch, pae } = expected.forge;
          expect(result.dump.architecture).to.equal(arch === 'x86' && pae ? 'x86-pae' : arch);
          if (!isNew) expect(result.system?.buildLab).to.equal(expected.kdbg.build_lab);
        } else {
          expect(result.system?.symbols?.source).to.equal('kdbg');
          expect(result.dump.architecture).to.equal('arm64');
          expect(result.dump.pagingLevels).to.equal(4);
        }
      });

      it('has every figure of !vm', () => {
        if (!hasProfile) {
          // No symbol tells where the memory manager's state is, and what the reference knows of it is x64's.
          const known = MEMORY_FIELDS.filter((field) => result.memory?.[field] !== null);
          expect(known).to.deep.equal(['physicalMemory', 'pagedPoolMaximum']);
          expect(result.memory?.physicalMemory?.pages).to.equal(expected.vm['physical']?.value);
          expect(result.memory?.pagedPoolMaximum?.pages).to.equal(expected.vm['paged_max']?.value);
          return;
        }
        for (const [key, field] of Object.entries(FIGURES)) {
          const wanted = expected.vm[key]?.value;
          if (wanted === undefined) continue;
          const isKnown = expected.forge.arch !== 'x86' || !NOT_IN_DEBUGGER_BLOCK.has(key);
          expect(result.memory?.[field]?.pages ?? null, field).to.equal(isKnown ? wanted : null);
        }
        expect(result.memory?.lockedIoPages).to.equal(null);
        expect(result.memory?.sessionCommit).to.equal(null);
        const file = result.memory?.pageFiles?.[0];
        const kb = (value: unknown): number => Number(value) * 4;
        expect([
          file?.path,
          kb(file?.currentPages),
          kb(file?.freePages),
          kb(file?.minimumPages),
          kb(file?.maximumPages),
        ]).to.deep.equal(['name', 'current', 'free', 'min', 'max'].map((n) => expected.vm[`pagefile_${n}`]?.value));
        const pools = Object.keys(expected.vm).filter((k) => /^paged_pool_\d$/.test(k));
        if (pools.length > 0) {
          expect(result.memory?.pagedPools?.map((p) => p.pages)).to.deep.equal(pools.map((k) => expected.vm[k]?.value));
        }
      });

      it('sums every row of the pool tag table', () => {
        const { poolTags } = result;
        expect(poolTags?.complete).to.equal(true);
        expect(poolTags?.entries).to.equal(expected.pool.table.size);
        expect(poolTags?.tables).to.equal(expected.pool.table.tables.length);
        const { totals } = expected.pool;
        expect(poolTags?.totals).to.deep.equal({
          nonPagedAllocs: totals.np_allocs, nonPagedBytes: totals.np_bytes, pagedAllocs: totals.p_allocs, pagedBytes: totals.p_bytes,
        }); // prettier-ignore
        const rows = new Map(poolTags?.rows.map((r) => [r.hex, r]));
        expect(rows.size).to.equal(expected.pool.rows.length);
        for (const row of expected.pool.rows) {
          const found = rows.get(row.key)!;
          expect(found, row.key).not.to.equal(undefined);
          expect(found.nonPaged, row.key).to.deep.equal({
            allocs: row.np_allocs_total, frees: row.np_frees_total, outstanding: row.np_diff, bytes: row.np_bytes,
          }); // prettier-ignore
          expect(found.paged, row.key).to.deep.equal({
            allocs: row.p_allocs_total, frees: row.p_frees_total, outstanding: row.p_diff, bytes: row.p_bytes,
          }); // prettier-ignore
        }
      });

      it('finds every occurrence of the tags that is in the dump', () => {
        for (const [tag, list] of Object.entries(expected.tag_hits)) {
          const wanted = list
            .filter((h) => h.in_dump)
            .map((h) => ({ module: h.module, address: h.address, section: h.section }));
          expect(
            hits[tag]!.filter(({ use }) => !use?.pair).map(({ module, address, section }) => ({
              module,
              address,
              section,
            })),
            tag,
          ).to.have.deep.members(wanted);
          for (const hit of list.filter((h) => h.in_dump)) {
            const found = hits[tag]!.find((h) => h.address === hit.address)!;
            expect(hit.bytes.startsWith(found.bytes) && found.bytes.length >= 8, hit.address).to.equal(true);
          }
        }
      });

      if (expected.tag_hits_split !== undefined) {
        it('finds every tag that code builds in two halves, and the literals that code loads', () => {
          for (const [tag, list] of Object.entries(expected.tag_hits_split ?? {})) {
            const found = hits[tag]!.filter(({ use }) => use?.pair);
            const wanted = list.filter((h) => h.in_dump);
            expect(
              found.map(({ module, address, section, use }) => ({
                ...{ module, address, section, register: use!.pair!.register },
                second: `0x${use!.pair!.second.toString(16)}`,
              })),
              tag,
            ).to.have.deep.members(
              wanted.map(({ module, address, section, register, second }) => ({
                module,
                address,
                section,
                register,
                second,
              })),
            );
            for (const hit of wanted) {
              const bytes = found.find((h) => h.address === hit.address)!.bytes;
              expect(bytes.startsWith(hit.bytes.slice(0, 32)) || hit.bytes.startsWith(bytes), hit.address).to.equal(
                true,
              );
            }
          }
          for (const hit of Object.values(expected.tag_hits).flat()) {
            if (hit.style !== 'literal') continue;
            const found = Object.values(hits)
              .flat()
              .find((h) => h.address === hit.address);
            expect(found?.use?.loadedBy, hit.address).to.be.a('bigint');
          }
          const kinds = result.suspects[0]!.drivers[0]!.evidence.map((e) => e.kind);
          expect(kinds).to.include('code-immediate-pair');
          expect(result.suspects[0]!.drivers[0]!.evidence[0]!.note).to.match(
            /MOVZ at 0xf+[0-9a-f]+ and MOVK at 0xf+[0-9a-f]+/,
          );
        });
      }

      it('concludes what a careful engineer would', () => {
        const { verdict } = expected.forge;
        const first = result.suspects[0];
        expect(first?.tag ?? null).to.equal(verdict.leak);
        expect(result.verdict.leakSuspected).to.equal(verdict.leak !== null);
        if (verdict.leak === null) return;
        expect(first?.pool).to.equal(verdict.kind);
        const accused = first!.drivers.filter((d) => d.confidence !== 'low').map((d) => d.module);
        if (verdict.driver === null || verdict.driver === undefined) {
          expect(accused).to.deep.equal([]);
          const named = first!.drivers.map((d) => d.module);
          expect(named).to.include.members(verdict.candidates ?? []);
        } else {
          expect(accused).to.deep.equal([verdict.driver]);
        }
      });
    });
  }
});
