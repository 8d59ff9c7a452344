/** docs/result.schema.json, made of the description of the result. */

import { BATCH_ROWS } from '../../src/report/json.js';
import { fieldsOf, type AnyShape, type Fields, type Leaf, type LeafClass } from '../../src/result/leaves.js';
import { SCHEMA_VERSION } from '../../src/result/result.js';
import { CONFIDENCE, SOURCE } from '../../src/result/shape-common.js';
import { RESULT_SHAPE } from '../../src/result/shape.js';

type Schema = Record<string, unknown>;

const ref = (name: string): Schema => ({ $ref: `#/$defs/${name}` });
const TEXT: Schema = { type: 'string' };

/** A leaf's schema by its class; `fixed` has its values. */
const OF_CLASS: Readonly<Record<Exclude<LeafClass, 'fixed'>, Schema>> = {
  flag: { type: 'boolean' },
  integer: { type: 'integer', minimum: 0 },
  number: { type: 'number' },
  share: { type: 'number' },
  percent: { type: 'number' },
  seconds: { type: 'number', minimum: 0 },
  milliseconds: { type: 'number', minimum: 0 },
  count: ref('count'),
  hex: ref('hex'),
  address: ref('hex'),
  time: ref('time'),
  tag: ref('tag'),
  guid: { ...TEXT, pattern: '^[0-9A-F]{32}$' },
  language: { ...TEXT, pattern: '^[0-9a-f]{8}$' },
  bytes: { ...TEXT, pattern: '^([0-9a-f]{2}( [0-9a-f]{2})*)?$' },
  ...{ code: TEXT, text: TEXT, message: TEXT, note: TEXT, memory: TEXT, host: TEXT, user: TEXT, process: TEXT, target: TEXT },
  ...{ file: TEXT, path: TEXT, given: TEXT, release: TEXT, reference: TEXT },
};

/** Schemas of leaves that have a name of their own. */
const SHARED: Schema = {
  hex: {
    description: 'An address, a code or a hash: lower-case hexadecimal with 0x.',
    ...TEXT,
    pattern: '^0x[0-9a-f]+$',
  },
  count: {
    description: 'A count or a number of bytes or pages; past 2^53 - 1 (either sign) a decimal string.',
    anyOf: [
      { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
      { ...TEXT, pattern: '^-?[1-9][0-9]{15,}$' },
    ],
  },
  time: {
    description: 'UTC, ISO 8601.',
    ...TEXT,
    pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?Z$',
  },
  source: { description: 'Where a figure came from.', enum: SOURCE.values },
  confidence: { enum: CONFIDENCE.values },
  tag: {
    description: 'Four characters; bytes that cannot be printed stand as a full stop.',
    ...{ ...TEXT, minLength: 4, maxLength: 4 },
  },
};

/** The whole schema, as it is written. */
export function resultSchema(): Schema {
  const definitions: Schema = {};
  const top = objectSchema(RESULT_SHAPE, definitions);
  const major = Number(SCHEMA_VERSION.split('.')[0]);
  const properties = top['properties'] as Schema;
  properties['schemaVersion'] = { ...TEXT, pattern: `^${major}\\.\\d+$` };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `urn:dumpleak:result:${major}`,
    title: `dumpleak analysis result, version ${SCHEMA_VERSION}`,
    description: 'What `dumpleak analyze --json` writes. More fields may be added anywhere; see result.md for the promise.',
    ...top,
    $defs: { ...SHARED, ...definitions, batchLine: batchLine(properties) },
  };
}

/** One with a name is defined once. */
function schemaOf(shape: AnyShape, definitions: Schema): Schema {
  const { nullable, what } = shape;
  switch (shape.node) {
    case 'leaf':
      return { ...orNull(leafSchema(shape), nullable), description: what };
    case 'open':
      return { ...orNull({ type: 'object', additionalProperties: true }, nullable), description: what };
    case 'list': {
      const list = { type: 'array', items: schemaOf(shape.of as AnyShape, definitions) };
      return { ...orNull(list, nullable), description: what };
    }
    case 'object': {
      if (shape.name === null) return { ...orNull(objectSchema(shape, definitions), nullable), description: what };
      // Set before it is made, so that its place is before those that it needs.
      if (!Object.hasOwn(definitions, shape.name)) {
        definitions[shape.name] = null;
        definitions[shape.name] = objectSchema(shape, definitions);
      }
      return { ...orNull(ref(shape.name), nullable), description: what };
    }
  }
}

function leafSchema(leaf: Leaf): Schema {
  if (leaf.is !== 'fixed') return OF_CLASS[leaf.is];
  const values = 'values' in leaf ? leaf.values : [];
  return values === SOURCE.values ? ref('source') : values === CONFIDENCE.values ? ref('confidence') : { enum: values };
}

function objectSchema(shape: Fields, definitions: Schema): Schema {
  const fields = fieldsOf(shape);
  return {
    type: 'object',
    required: fields.map(([name]) => name),
    properties: Object.fromEntries(fields.map(([name, inner]) => [name, schemaOf(inner, definitions)])),
    additionalProperties: true,
  };
}

function orNull(schema: Schema, nullable: boolean): Schema {
  if (!nullable) return schema;
  return typeof schema['type'] === 'string'
    ? { ...schema, type: [schema['type'], 'null'] }
    : { anyOf: [schema, { type: 'null' }] };
}

/** A line of a batch: the result without modules and with few rows of tags, or what went wrong. */
function batchLine(properties: Schema): Schema {
  const few = { type: 'object', properties: { rows: { type: 'array', maxItems: BATCH_ROWS } } };
  const short = { anyOf: [{ allOf: [ref('poolTags'), few] }, { type: 'null' }] };
  const fields = Object.keys(properties).filter((name) => name !== 'modules');
  const result = {
    type: 'object',
    required: fields,
    properties: Object.fromEntries(fields.map((name) => [name, name === 'poolTags' ? short : properties[name]])),
    additionalProperties: true,
  };
  return { description: "One line of a batch's NDJSON.", anyOf: [result, FAILURE] };
}

const FAILURE: Schema = {
  type: 'object',
  required: ['dump', 'error'],
  properties: {
    dump: { type: 'object', required: ['path'], properties: { path: TEXT }, additionalProperties: true },
    error: ref('note'),
  },
  additionalProperties: true,
};
