import { expect } from 'chai';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { AnalysisResult } from '../result/result.js';
import { FULL, TRIAGE, UNKNOWN } from './golden/samples.js';
import { BATCH_ROWS, renderBatchLine, renderJson } from './json.js';

function expectGolden(name: string, actual: string): void {
  const path = fileURLToPath(new URL(`../../../src/report/golden/${name}`, import.meta.url));
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, actual);
  expect(actual).to.equal(readFileSync(path, 'utf8'));
}

/** The same value with the keys of every object in reverse. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
}

describe('renderJson', () => {
  it('writes the golden text', () => {
    expectGolden('full.json', renderJson(FULL));
    expectGolden('unknown.json', renderJson(UNKNOWN));
  });

  it('gives the same bytes whatever order the keys were set in', () => {
    for (const sample of [FULL, UNKNOWN, TRIAGE]) {
      expect(renderJson(reversed(sample) as AnalysisResult)).to.equal(renderJson(sample));
    }
  });

  it('loses nothing', () => {
    for (const sample of [FULL, UNKNOWN, TRIAGE]) expect(JSON.parse(renderJson(sample))).to.deep.equal(sample);
  });

  it('escapes what a terminal could act on, and only in writing', () => {
    const text = renderJson(FULL);
    expect(text).to.include('ev\\u001b[31mil\\u202e.sys\\r\\n').and.to.include('ev\\u009bil');
    expect(text).to.not.match(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  });

  it('writes null for what is missing or no number, and keeps fields that it does not know', () => {
    const rest: Partial<AnalysisResult> = { ...FULL };
    delete rest.system;
    const odd = {
      ...rest,
      later: { b: 1, a: undefined },
      run: { ...FULL.run, elapsedMs: NaN, options: { n: 2n ** 64n } },
    };
    const parsed = JSON.parse(renderJson(odd as unknown as AnalysisResult)) as Record<string, Record<string, unknown>>;
    expect(parsed['system']).to.equal(null);
    expect(parsed['run']!['elapsedMs']).to.equal(null);
    expect(parsed['run']!['options']).to.deep.equal({ n: '18446744073709551616' });
    expect(parsed['later']).to.deep.equal({ a: null, b: 1 });
  });
});

describe('renderBatchLine', () => {
  it('is one line without modules and processes, with the first rows', () => {
    const row = FULL.poolTags!.rows[0]!;
    const many: AnalysisResult = {
      ...FULL,
      poolTags: {
        ...FULL.poolTags!,
        rows: Array.from({ length: 60 }, (_, i) => ({ ...row, hex: `0x${i.toString(16)}` })),
      },
    };
    const line = renderBatchLine(many);
    expect(line.indexOf('\n')).to.equal(line.length - 1);
    const { modules, ...rest } = many;
    expect(modules).to.have.length(2);
    const expected = {
      ...rest,
      poolTags: { ...rest.poolTags, rows: many.poolTags!.rows.slice(0, BATCH_ROWS) },
      processes: { ...rest.processes, rows: [] },
    };
    expect(JSON.parse(line)).to.deep.equal(expected);
    expect(many.poolTags!.rows).to.have.length(60);
  });

  it('takes results without pool tags', () => {
    expect(JSON.parse(renderBatchLine(UNKNOWN))).to.have.property('poolTags', null);
  });

  it('writes a dump that could not be read', () => {
    const failure = { dump: { path: 'a\u2028b.dmp' }, error: { code: 'not-a-dump', message: 'Not a dump.' } };
    expect(renderBatchLine(failure)).to.equal(
      '{"dump":{"path":"a\\u2028b.dmp"},"error":{"code":"not-a-dump","message":"Not a dump."}}\n',
    );
  });
});
