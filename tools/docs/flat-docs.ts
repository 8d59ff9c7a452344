/** What docs/monitoring.md says of flat documents, and the index template beside it, made of their description. */

import { COMMON, OF_DUMP, OF_SUSPECT, OF_TAG, type FlatField, type FlatType } from '../../src/report/flat/fields.js';

type Listed = Pick<FlatField<never>, 'name' | 'type' | 'what'>;

const PARTS: readonly (readonly [string, readonly Listed[]])[] = [
  ['all', COMMON],
  ['dump', OF_DUMP],
  ['tag', OF_TAG],
  ['suspect', OF_SUSPECT],
];

/** Longer texts are kept and not indexed: a name from a damaged dump may be anything. */
const LONGEST_WORD = 1024;

const mapping = (type: FlatType): object =>
  type === 'keyword' ? { type, ignore_above: LONGEST_WORD } : type === 'text' ? { type } : { type, ignore_malformed: true }; // prettier-ignore

/** An index template for Elasticsearch and OpenSearch. Booleans take no `ignore_malformed` there. */
export function indexTemplate(): object {
  const fields = PARTS.flatMap(([, list]) => list.map(({ name, type }) => [name, type] as const));
  const properties = Object.fromEntries(
    [['kind', 'keyword'] as const, ...fields]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, type]) => [name, type === 'boolean' ? { type } : mapping(type)]),
  );
  return {
    index_patterns: ['dumpleak-*'],
    priority: 200,
    template: {
      settings: { number_of_shards: 1 },
      mappings: { dynamic: false, properties },
    },
  };
}

/** Rows of a Markdown table. */
export function flatTable(): string {
  const rows = PARTS.flatMap(([kind, list]) => list.map(({ name, type, what }) => `| ${kind} | \`${name}\` | ${type} | ${what} |`)); // prettier-ignore
  return ['| kind | field | type | what |', '|---|---|---|---|', ...rows].join('\n');
}

const [BEGIN, END] = ['<!-- fields -->', '<!-- end of fields -->'];

/** The document with its table as it is now. */
export function withFlatTable(markdown: string): string {
  const [before, rest] = markdown.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`docs/monitoring.md has no ${BEGIN} ... ${END}`);
  return `${before}${BEGIN}\n\n${flatTable()}\n\n${END}${after}`;
}
