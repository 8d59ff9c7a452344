import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MEMORY_FIELDS, SCHEMA_VERSION } from '../result/result.js';
import type { AnalysisResult } from '../result/result.js';
import { FULL, HOLLOW, TRIAGE, UNKNOWN } from './golden/samples.js';
import { renderBatchLine, renderJson } from './json.js';
import { withTables } from '../../tools/docs/field-tables.js';
import { resultSchema } from '../../tools/docs/result-schema.js';

const docs = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url)), 'utf8');

interface Schema {
  $id?: string;
  $ref?: string;
  $defs?: Record<string, Schema>;
  required?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: boolean;
  items?: Schema;
  anyOf?: Schema[];
  type?: string | string[];
}

const schema = JSON.parse(docs('result.schema.json')) as Schema;
const SAMPLES: Record<string, AnalysisResult> = { FULL, UNKNOWN, HOLLOW, TRIAGE };

function compile(of: object): ValidateFunction {
  return new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true }).compile(of);
}

describe('docs/result.schema.json', () => {
  const validate = compile(schema);
  const accepts = (value: unknown): boolean => validate(value);

  it('accepts the samples, as rendered', () => {
    for (const [name, sample] of Object.entries(SAMPLES)) {
      expect(accepts(JSON.parse(renderJson(sample))), `${name}: ${JSON.stringify(validate.errors)}`).to.equal(true);
    }
  });

  it('is what the description of the result gives: run npm run docs', () => {
    expect(schema).to.deep.equal(resultSchema());
  });

  it('has every figure of memory', () => {
    expect(Object.keys(schema.$defs!['memory']!.properties!)).to.include.members([...MEMORY_FIELDS]);
  });

  it('accepts fields that are added later, and later minor versions', () => {
    const later = JSON.parse(renderJson(FULL)) as AnalysisResult & { more?: unknown };
    later.more = { x: 1 };
    later.schemaVersion = '2.7';
    Object.assign(later.dump, { more: 1 });
    Object.assign(later.suspects[0]!.drivers[0]!.evidence[0]!, { more: [] });
    expect(accepts(later), JSON.stringify(validate.errors)).to.equal(true);
  });

  it('refuses a missing field, a wrong unit of text, and another major version', () => {
    const missing: Partial<AnalysisResult> = { ...FULL };
    delete missing.warnings;
    const wrong: unknown[] = [
      missing,
      { ...FULL, schemaVersion: '3.0' },
      { ...FULL, system: { ...FULL.system, kernelBase: 'fffff80001a00000' } },
      { ...FULL, system: { ...FULL.system, kernelBase: '0xFFFFF80001A00000' } },
      { ...FULL, dump: { ...FULL.dump, fileBytes: 2 ** 60 } },
      { ...FULL, dump: { ...FULL.dump, fileBytes: '12' } },
      { ...FULL, dump: { ...FULL.dump, systemTime: '19.11.2026' } },
      { ...FULL, memory: { ...FULL.memory, freePages: 5 } },
      { ...FULL, suspects: [{ ...FULL.suspects[0], tag: 'Leaky' }] },
      { ...FULL, suspects: null },
    ];
    for (const value of wrong) expect(accepts(value)).to.equal(false);
  });

  it('describes the lines of a batch', () => {
    const { $defs } = schema;
    const line = compile({ $defs, $ref: '#/$defs/batchLine' });
    const failure = { dump: { path: 'a.dmp' }, error: { code: 'not-a-dump', message: 'Not a dump.' } };
    for (const value of [...Object.values(SAMPLES), failure]) {
      expect(line(JSON.parse(renderBatchLine(value))), JSON.stringify(line.errors)).to.equal(true);
    }
    const long = { ...FULL, poolTags: { ...FULL.poolTags, rows: Array(51).fill(FULL.poolTags!.rows[0]) } };
    expect(line(long)).to.equal(false);
  });
});

describe('docs/result.md', () => {
  it('has the tables that the description of the result gives: run npm run docs', () => {
    const text = docs('result.md');
    expect(withTables(text)).to.equal(text);
    expect(text).to.include(`\`${SCHEMA_VERSION}\``);
  });

  it('has a table of every part', () => {
    const text = docs('result.md').replace('<!-- fields: evidence -->', '');
    expect(() => withTables(text)).to.throw('no table of evidence');
    expect(() => withTables('<!-- fields: nobody -->\n<!-- end -->')).to.throw('nobody');
  });
});
