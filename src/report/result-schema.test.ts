import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MEMORY_FIELDS, SCHEMA_VERSION } from '../result/result.js';
import type { AnalysisResult } from '../result/result.js';
import { FULL, HOLLOW, TRIAGE, UNKNOWN } from './golden/samples.js';
import { renderBatchLine, renderJson } from './json.js';
import { RESULT_SHAPE, type AnyShape } from '../result/shape.js';

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

/** The schema that describes an object or the items of a list, behind references and `or null`. */
function objectSchema(of: Schema): Schema {
  if (of.$ref) return objectSchema(schema.$defs![of.$ref.replace('#/$defs/', '')]!);
  if (of.anyOf) return objectSchema(of.anyOf.find((option) => option.type !== 'null')!);
  return of.items ? objectSchema(of.items) : of;
}

/** Every object in the result: its path, the shape that is written, and the schema. */
function* objects(shape: AnyShape, of: Schema, path: string): Generator<[string, string[], Schema]> {
  if (typeof shape === 'string') return;
  const described = objectSchema(of);
  yield [path, Object.keys(shape), described];
  for (const [key, inner] of Object.entries(shape)) {
    const next = described.properties?.[key];
    if (next) yield* objects(inner, next, `${path}.${key}`);
  }
}

describe('docs/result.schema.json', () => {
  const validate = compile(schema);
  const accepts = (value: unknown): boolean => validate(value);

  it('accepts the samples, as rendered', () => {
    for (const [name, sample] of Object.entries(SAMPLES)) {
      expect(accepts(JSON.parse(renderJson(sample))), `${name}: ${JSON.stringify(validate.errors)}`).to.equal(true);
    }
  });

  it('describes exactly the fields that are written, all of them required', () => {
    const seen: string[] = [];
    for (const [path, keys, described] of objects(RESULT_SHAPE, schema, 'result')) {
      seen.push(path);
      expect(Object.keys(described.properties ?? {}).sort(), path).to.deep.equal([...keys].sort());
      expect([...(described.required ?? [])].sort(), path).to.deep.equal([...keys].sort());
      expect(described.additionalProperties, path).to.equal(true);
    }
    expect(seen).to.include.members(['result.memory.physicalMemory', 'result.suspects.drivers.evidence']);
  });

  it('has every figure of memory', () => {
    expect(Object.keys(schema.$defs!['memory']!.properties!)).to.include.members([...MEMORY_FIELDS]);
  });

  it('accepts fields that are added later, and later minor versions', () => {
    const later = structuredClone(FULL) as AnalysisResult & { more?: unknown };
    later.more = { x: 1 };
    later.schemaVersion = '1.7';
    Object.assign(later.dump, { more: 1 });
    Object.assign(later.suspects[0]!.drivers[0]!.evidence[0]!, { more: [] });
    expect(accepts(later), JSON.stringify(validate.errors)).to.equal(true);
  });

  it('refuses a missing field, a wrong unit of text, and another major version', () => {
    const missing: Partial<AnalysisResult> = { ...FULL };
    delete missing.warnings;
    const wrong: unknown[] = [
      missing,
      { ...FULL, schemaVersion: '2.0' },
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
  it('tells every field and the version', () => {
    const text = docs('result.md');
    for (const [path, keys] of objects(RESULT_SHAPE, schema, 'result')) {
      for (const key of keys) expect(text.includes(`\`${key}\``), `${path}.${key}`).to.equal(true);
    }
    expect(text).to.include(`\`${SCHEMA_VERSION}\``);
  });
});
