import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { indexTemplate, withFlatTable } from '../../../tools/docs/flat-docs.js';
import type { AnalysisResult } from '../../result/result.js';
import { FULL, HOLLOW, TRIAGE, UNKNOWN } from '../golden/samples.js';
import { COMMON, OF_DUMP, OF_SUSPECT, OF_TAG } from './fields.js';
import { renderFlat } from './ndjson.js';

const docs = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../../docs/${name}`, import.meta.url)), 'utf8');

type Flat = Record<string, unknown>;
const documents = (result: AnalysisResult): Flat[] =>
  renderFlat(result)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Flat);

interface Template {
  template: { mappings: { dynamic: boolean; properties: Record<string, { type: string }> } };
}
const { mappings } = (JSON.parse(docs('elasticsearch-template.json')) as Template).template;

/** Whether a value is one that a mapping of this type takes. */
function fits(value: unknown, type: string): boolean {
  if (Array.isArray(value)) return type === 'keyword' && value.every((one) => fits(one, type));
  switch (type) {
    case 'long':
      return Number.isSafeInteger(value) || (typeof value === 'string' && /^-?\d+$/.test(value));
    case 'double':
      return typeof value === 'number';
    case 'boolean':
      return typeof value === 'boolean';
    case 'date':
      return typeof value === 'string' && !Number.isNaN(Date.parse(value));
    default:
      return typeof value === 'string';
  }
}

describe('flat documents', () => {
  it('are one for the dump, one a tag, one a suspect', () => {
    for (const result of [FULL, UNKNOWN, HOLLOW, TRIAGE]) {
      const kinds = documents(result).map(({ kind }) => kind);
      expect(kinds).to.deep.equal([
        'dump',
        ...(result.poolTags?.rows ?? []).map(() => 'tag'),
        ...result.suspects.map(() => 'suspect'),
      ]);
    }
  });

  it('have only fields of the mapping, with values that it takes, and no objects', () => {
    for (const document of [FULL, UNKNOWN, HOLLOW, TRIAGE].flatMap(documents)) {
      for (const [name, value] of Object.entries(document)) {
        expect(mappings.properties, name).to.have.property(name);
        expect(fits(value, mappings.properties[name]!.type), `${name}: ${JSON.stringify(value)}`).to.equal(true);
        expect(name).to.match(/^@?[a-z][a-z_]*$/);
      }
    }
  });

  it('leave out what is unknown: never null, never 0', () => {
    for (const document of [UNKNOWN, HOLLOW, TRIAGE].flatMap(documents)) {
      expect(Object.values(document)).to.not.include(null);
    }
    const [dump] = documents(UNKNOWN);
    expect(dump).to.not.have.any.keys('@timestamp', 'leak_suspected', 'nonpaged_pool_pages', 'machine_name');
    const part = { ...FULL, poolTags: { ...FULL.poolTags!, complete: false } };
    const [first, tag] = documents(part);
    expect(first).to.not.have.any.keys('nonpaged_tagged_bytes', 'paged_tagged_bytes');
    expect(tag).to.include({ tables_complete: false });
  });

  it('say what the result says', () => {
    const all = documents(FULL);
    const suspect = all.find(({ kind }) => kind === 'suspect')!;
    const [first] = FULL.suspects;
    expect(suspect).to.include({ suspect: 1, tag: first!.tag, tag_hex: first!.key, bytes: first!.bytes, pool: first!.pool }); // prettier-ignore
    expect(suspect['against_codes']).to.include.members(first!.against.map(({ code }) => code));
    expect(all[0]).to.include({ headline: FULL.verdict.headline, machine_name: FULL.system!.machineName });
  });

  it('name no driver where several may be behind it', () => {
    const [suspect] = FULL.suspects;
    const [driver] = suspect!.drivers;
    const two = { ...suspect!, drivers: ['a.sys', 'b.sys'].map((module) => ({ ...driver!, module, confidence: 'medium' as const })) }; // prettier-ignore
    const of = documents({ ...FULL, suspects: [two] }).at(-1)!;
    expect(of).to.not.have.any.keys('driver', 'driver_confidence', 'driver_version', 'driver_company');
    const one = documents({ ...FULL, suspects: [{ ...two, drivers: two.drivers.slice(1) }] }).at(-1)!;
    expect(one).to.include({ driver: 'b.sys', driver_confidence: 'medium' });
  });

  it('stay a line each, whatever stands in the dump', () => {
    const hostile = '\n\u2028\u001b]0;x\u0007\u202e"\\';
    const lines = renderFlat({ ...FULL, dump: { ...FULL.dump, path: hostile } }).trimEnd().split('\n'); // prettier-ignore
    for (const line of lines) {
      expect((JSON.parse(line) as Flat)['dump_path']).to.equal(hostile);
      expect(line).to.not.match(/[\u0000-\u001f\u007f-\u009f\u2028\u202e]/);
    }
  });

  it('are described by docs/monitoring.md and the template: run npm run docs', () => {
    expect(JSON.parse(docs('elasticsearch-template.json'))).to.deep.equal(indexTemplate());
    expect(docs('monitoring.md')).to.equal(withFlatTable(docs('monitoring.md')));
    expect(mappings.dynamic).to.equal(false);
    const types = new Map<string, string>();
    for (const { name, type } of [COMMON, OF_DUMP, OF_TAG, OF_SUSPECT].flat()) {
      expect(types.get(name) ?? type, `one type of ${name}`).to.equal(type);
      types.set(name, type);
    }
  });
});
