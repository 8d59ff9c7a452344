import { expect } from 'chai';
import fc from 'fast-check';
import { virtual } from '../../parsers/addresses.js';
import type { TagHit } from '../kernel/state.js';
import { MEMORY_FIELDS } from '../result/result.js';
import type { PoolCounters, PoolTagRow } from '../result/result.js';
import { AGAINST_STEPS, REASON_WEIGHTS, rank, suspectConfidence } from './confidence.js';
import type { LeakFacts } from './facts.js';
import { findLeak } from './find-leak.js';
import { factsOf, memoryOf, modulesOf, searchOf, tablesOf, tagRow } from './scenario.test.helper.js';

const reasonCodes = fc.subarray(Object.keys(REASON_WEIGHTS));
const againstCodes = fc.subarray(Object.keys(AGAINST_STEPS));

const MODULES = modulesOf('ntoskrnl.exe', 'hal.dll', 'a.sys', 'b.sys', 'wdf01000.sys');

/** Pages, small and huge, possible and not. */
const pages = fc.oneof(fc.nat(2_000_000), fc.maxSafeNat(), fc.constant(0), fc.integer({ min: -1000, max: -1 }));
const figure = fc.oneof(fc.nat(500_000), fc.maxSafeNat(), fc.integer());
const counters: fc.Arbitrary<PoolCounters> = fc.record({
  allocs: fc.oneof(figure, fc.constant('18446744073709551615')),
  frees: figure,
  outstanding: figure,
  bytes: fc.oneof(
    figure,
    fc.nat({ max: 2 ** 31 - 1 }).map((n) => n * 16),
    fc.constant('9223372036854775807'),
  ),
});
const row: fc.Arbitrary<PoolTagRow> = fc
  .record({
    tag: fc.oneof(
      fc.constantFrom('Leak', 'Ddk ', 'None', 'MmSt', 'File', 'Thre', 'FxDr', '....'),
      fc.string({ minLength: 4, maxLength: 4, unit: 'grapheme-ascii' }),
    ),
    nonPaged: counters,
    paged: counters,
    binary: fc.constantFrom(null, 'nt!mm', 'a.sys', 'b.sys or a.sys', '<unknown>'),
    source: fc.constantFrom('pooltag.txt', 'localtag.txt', 'built-in', null),
  })
  .map(({ tag, nonPaged, paged, binary, source }) => tagRow(tag, { nonPaged, paged }, binary, source));
const hit: fc.Arbitrary<TagHit> = fc
  .record({
    module: fc.integer({ min: -1, max: 9 }),
    rest: fc.uint8Array({ maxLength: 12 }),
    before: fc.oneof(fc.uint8Array({ maxLength: 16 }), fc.constant(Uint8Array.from([0x41, 0xb8]))),
    executable: fc.constantFrom(true, false, null),
    section: fc.constantFrom('.text', '.data', null),
    offset: fc.nat(),
  })
  .map(({ rest, ...more }) => ({
    ...more,
    bytes: Uint8Array.from([0x4c, 0x65, 0x61, 0x6b, ...rest]),
    address: virtual(BigInt(more.offset)),
    protectedBit: false,
  }));

const facts: fc.Arbitrary<LeakFacts> = fc
  .record({
    memory: fc.option(fc.record(Object.fromEntries(MEMORY_FIELDS.map((name) => [name, fc.option(pages)])))),
    rows: fc.option(fc.array(row, { maxLength: 30 })),
    complete: fc.boolean(),
    hits: fc.array(hit, { maxLength: 20 }),
    searched: fc.record({
      modules: fc.nat(9),
      notTranslatable: fc.nat(9),
      pagesPresent: fc.nat(99),
      pagesMissing: fc.nat(99),
    }),
    modules: fc.constantFrom(null, MODULES),
    code: fc.constantFrom(0xe2, 0x19, 0xc4, 0xd8, 0x4d, 0x3f, 0xd1, 0x12345),
    parameters: fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { maxLength: 4 }),
    verifier: fc.option(
      fc.record({ level: fc.option(fc.nat()), drivers: fc.array(fc.string()), specialPoolTag: fc.option(fc.nat()) }),
    ),
    tag: fc.option(fc.oneof(fc.string(), fc.constantFrom('Leak', '0x6b61654c')), { nil: undefined }),
    pool: fc.constantFrom(undefined, 'paged', 'nonpaged'),
    name: fc.constantFrom(null, 'a.sys', 'nobody.sys', '\\??\\C:\\A.SYS'),
  })
  .map((given) =>
    factsOf({
      memory: given.memory === null ? null : memoryOf(given.memory),
      poolTags: given.rows === null ? null : tablesOf(given.rows.filter(possible), {}, given.complete),
      modules: given.modules,
      bugCheck: { code: given.code, parameters: given.parameters },
      verifier: given.verifier,
      search: searchOf(given.hits, given.searched),
      readText: () => given.name,
      options: { tag: given.tag, pool: given.pool },
    }),
  );

/** The totals of the helper are sums of numbers: rows past 2^53 would make them inexact, which no reader gives. */
function possible({ nonPaged, paged }: PoolTagRow): boolean {
  return [nonPaged, paged].every(({ bytes }) => Math.abs(Number(bytes)) < 2 ** 47);
}

/** All numbers in a value, however deep. */
function numbers(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(numbers) : [];
}

describe('confidence', () => {
  it('never rises with one more thing against it', () => {
    fc.assert(
      fc.property(reasonCodes, againstCodes, againstCodes, (reasons, against, more) => {
        const before = suspectConfidence(reasons, against);
        expect(rank(suspectConfidence(reasons, [...against, ...more]))).to.be.at.most(rank(before));
      }),
    );
  });

  it('never falls with one more reason', () => {
    fc.assert(
      fc.property(reasonCodes, reasonCodes, againstCodes, (reasons, more, against) => {
        const before = suspectConfidence(reasons, against);
        expect(rank(suspectConfidence([...reasons, ...more], against))).to.be.at.least(rank(before));
      }),
    );
  });

  it('does not hang on the order, nor on codes that nobody knows', () => {
    fc.assert(
      fc.property(reasonCodes, againstCodes, (reasons, against) => {
        const known = suspectConfidence(reasons, against);
        expect(suspectConfidence(reasons.toReversed(), ['constructor', ...against.toReversed()])).to.equal(known);
        expect(suspectConfidence(['toString', ...reasons], against)).to.equal(known);
      }),
    );
  });
});

describe('any state at all', () => {
  it('is judged without an exception, and all figures are numbers', () => {
    fc.assert(
      fc.property(facts, (given) => {
        const found = findLeak(given);
        expect(numbers(found).every(Number.isFinite)).to.equal(true);
        expect(JSON.stringify(found)).to.not.match(/NaN|Infinity|undefined/);
        expect(found.verdict.headline).to.not.equal('');
      }),
      { numRuns: 500 },
    );
  });

  it('gives the same answer twice and is left as it was', () => {
    fc.assert(
      fc.property(facts, (given) => {
        const { memory, poolTags, modules } = given;
        const before = structuredClone({ memory, poolTags, modules });
        expect(JSON.stringify(findLeak(given))).to.equal(JSON.stringify(findLeak(given)));
        expect({ memory, poolTags, modules }).to.deep.equal(before);
      }),
    );
  });

  it('always counts the single snapshot against, and never accuses beyond what is known', () => {
    fc.assert(
      fc.property(facts, (given) => {
        for (const suspect of findLeak(given).suspects) {
          const against = suspect.against.map(({ code }) => code);
          expect(against).to.include('single-snapshot');
          for (const { confidence, evidence } of suspect.drivers) {
            expect(evidence.length).to.be.within(1, 16);
            const named = evidence.some(({ kind }) => kind === 'bugcheck');
            if (!named) expect(rank(confidence)).to.be.at.most(rank(suspect.confidence));
            if (against.includes('shared-tag') || against.includes('windows-tag')) expect(confidence).to.equal('low');
            if (evidence.every(({ kind }) => kind === 'string')) expect(confidence).to.equal('low');
          }
          if (given.poolTags?.complete === false) expect(suspect.confidence).to.equal('low');
        }
      }),
      { numRuns: 500 },
    );
  });

  it('never calls a counter that cannot be true a leak', () => {
    fc.assert(
      fc.property(facts, (given) => {
        const physical = Number(given.memory?.physicalMemory?.pages ?? 0);
        if (physical <= 0) return;
        for (const suspect of findLeak(given).suspects) {
          const asked = suspect.reasons.some(({ code }) => code === 'requested');
          if (suspect.pool === 'nonpaged' && !asked) expect(Number(suspect.bytes)).to.be.at.most(physical * 4096);
        }
      }),
      { numRuns: 300 },
    );
  });
});
