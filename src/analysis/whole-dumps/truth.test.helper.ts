/** Compares an analysis with what the builder of a test dump knows to be in it. */

import { expect } from 'chai';
import type { ByteSource } from '../../../parsers/bytes/source.js';
import type { BuiltDump } from '../../../test-dumps/build-dump.js';
import type { Truth } from '../../../test-dumps/truth.js';
import { OpenedDump } from '../../kernel/open/opened-dump.js';
import { searchModules } from '../search.js';
import { typedTag } from '../../result/tag.js';
import type { OpenKernelOptions } from '../../kernel/open/open-kernel.js';
import { MEMORY_FIELDS, type AnalysisResult } from '../../result/result.js';

/** A built dump as bytes that the library can open. */
export function sourceOf(built: BuiltDump, name = 'built.dmp'): ByteSource {
  return {
    name,
    byteLength: built.byteLength,
    read: (position, target) => built.read(position, target),
    close: () => undefined,
  };
}

/** Opens a built dump without a file. */
export function openBuilt(built: BuiltDump, options: OpenKernelOptions = {}): OpenedDump {
  const source = sourceOf(built);
  return OpenedDump.over(source.name, { source, fileBytes: built.byteLength, container: null, damage: null }, options);
}

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;
const num = (value: bigint): number | string =>
  value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString();

/** Header, kernel and modules. */
export function expectSystem(result: AnalysisResult, truth: Truth): void {
  expect(result.dump.bugCheck?.code).to.equal(hex(truth.header.bugCheckCode));
  expect(result.dump.bugCheck?.parameters).to.deep.equal(truth.header.bugCheckParameters.map(hex));
  expect(result.dump.processors).to.equal(truth.header.processors);
  expect(result.dump.pagesPresent).to.equal(truth.pagesPresent);
  expect(result.system?.kernelBase).to.equal(hex(truth.kernel.base));
  expect(result.system?.buildNumber).to.equal(truth.kernel.build);
  expect(result.system?.buildLab).to.equal(truth.kernel.buildLab);
  expect(result.modules?.map((m) => m.name)).to.deep.equal(truth.modules.map((m) => m.name));
  truth.modules.forEach((m, i) => {
    const found = result.modules?.[i];
    expect([found?.base, found?.sizeOfImage, found?.path], m.name).to.deep.equal([hex(m.base), m.size, m.path]);
    expect([found?.pagesTotal, found?.pagesPresent], `pages of ${m.name}`).to.deep.equal([
      m.pagesTotal,
      m.pagesPresent,
    ]);
    if (m.headersReadable) {
      expect([found?.timeDateStamp, found?.checkSum], m.name).to.deep.equal([hex(m.timeDateStamp), hex(m.checkSum)]);
    }
    expect(found?.pdb ?? null, m.name).to.deep.equal(m.codeViewReadable && m.headersReadable ? m.pdb : null);
    if (m.versionReadable && m.headersReadable && m.version !== null) {
      expect(found?.version?.fileVersion, m.name).to.equal(m.version.fileVersion);
      if (m.version.companyName !== undefined) {
        expect(found?.version?.companyName, m.name).to.equal(m.version.companyName);
      }
    }
  });
  expect(result.unloadedModules?.map((d) => [d.name, d.start, d.end])).to.have.deep.members(
    truth.unloadedDrivers.map((d) => [d.name, hex(d.start), hex(d.end)]),
  );
}

/** Every memory figure that this kernel has. */
export function expectMemory(result: AnalysisResult, truth: Truth): void {
  for (const field of MEMORY_FIELDS) {
    expect(result.memory?.[field]?.pages ?? null, field).to.equal(truth.memory[field]);
  }
  expect(result.memory?.pagedPools?.map((p) => p.pages) ?? null, 'paged pools').to.deep.equal(truth.pagedPools);
  expect(
    result.memory?.nonPagedPools?.map(({ node, pages, nxPages }) => ({ node, pages, nxPages })) ?? null,
    'nonpaged pools',
  ).to.deep.equal(truth.nonPagedPools);
  expect(result.memory?.pageFiles).to.deep.equal(truth.pageFiles);
  expect(result.memory?.poolAllocationFailures?.count ?? null).to.equal(truth.poolAllocationFailures);
}

/** Every row of the tag tables. */
export function expectTags(result: AnalysisResult, truth: Truth): void {
  const { poolTags } = result;
  expect(poolTags?.complete).to.equal(truth.pool.complete);
  expect(poolTags?.entries).to.equal(truth.pool.entries);
  const { totals } = truth.pool;
  expect(poolTags?.totals).to.deep.equal({
    nonPagedAllocs: num(totals.nonPagedAllocs), nonPagedBytes: num(totals.nonPagedBytes),
    pagedAllocs: num(totals.pagedAllocs), pagedBytes: num(totals.pagedBytes),
  }); // prettier-ignore
  const rows = new Map(poolTags?.rows.map((r) => [r.hex, r]));
  for (const row of truth.pool.rows) {
    const found = rows.get(hex(row.key));
    const counters = (c: { allocs: bigint; frees: bigint; outstanding: bigint; bytes: bigint }): object => ({
      allocs: num(c.allocs), frees: num(c.frees), outstanding: num(c.outstanding), bytes: num(c.bytes),
    }); // prettier-ignore
    expect(found?.nonPaged, row.tag).to.deep.equal(counters(row.nonPaged));
    expect(found?.paged, row.tag).to.deep.equal(counters(row.paged));
    expect(found?.protected, row.tag).to.equal(row.protected);
  }
  expect(rows.size).to.equal(truth.pool.rows.length);
}

/** Every readable occurrence of every tag that the truth watches, and no other. */
export function expectHits(opened: OpenedDump, truth: Truth, { byName = true } = {}): void {
  for (const tag of new Set(truth.tagHits.map((h) => h.tag))) {
    const key = typedTag(tag);
    if (key === null) continue;
    const found = searchModules(opened, { tag: key });
    const readable = truth.tagHits.filter((h) => h.tag === tag && h.readable);
    expect(
      found.hits.map((h) => hex(h.address)),
      tag,
    ).to.have.members(readable.map((h) => hex(h.address)));
    for (const hit of found.hits) {
      const planted = readable.find((h) => h.address === hit.address);
      if (byName) expect(found.modules[hit.module]?.name, tag).to.equal(planted?.module);
      expect([hit.offset, hit.protectedBit], tag).to.deep.equal([planted?.rva, planted?.protectedBit]);
      if (hit.section !== null) expect(hit.section, tag).to.equal(planted?.section);
    }
  }
}
