/**
 * The tables of a history as SQL for a PostgreSQL server, where Grafana and the like can ask them: the same tables as those of
 * `history sql`, made anew in a schema of their own, in one transaction.
 */

import type { Asked, Cell } from './engine.js';
import { MIGRATIONS } from './schema.js';

export const SCHEMA = 'dumpleak';

/** In the order in which they can be filled. */
const TABLES = ['machines', 'dumps', 'tag_rows', 'suspects', 'drivers', 'dump_drivers', 'groups', 'group_dumps', 'failures']; // prettier-ignore

/** Where results themselves are kept, the tables are not to be replaced by those of another history. */
const GUARD = `do $guard$
declare shared boolean := false;
begin
  if to_regclass('${SCHEMA}.entries') is not null then execute 'select exists (select from ${SCHEMA}.entries)' into shared; end if;
  if shared then raise exception 'the schema ${SCHEMA} of this database holds a shared history: nothing was changed'; end if;
end $guard$;`;

/** Rows of one statement, and rows that are taken from the store at a time. */
const AT_ONCE = 500;

/** The statements, in parts that end with line feeds. Throws QueryError. */
export async function* asSql(store: Asked): AsyncGenerator<string> {
  yield `begin;\n${GUARD}\ndrop schema if exists ${SCHEMA} cascade;\ncreate schema ${SCHEMA};\nset local search_path to ${SCHEMA};\nset local standard_conforming_strings to on;\n`;
  for (const statements of MIGRATIONS) yield `${statements.trim()}\n`;
  for (const table of TABLES) {
    const { rows: found } = await store.ask(
      `select column_name from information_schema.columns where table_schema = current_schema() and table_name = $1 order by ordinal_position`,
      [table],
    );
    const names = found.map(([name]) => `"${String(name)}"`);
    const texts = names.map((name) => `${name}::text`).join(', ');
    for (let offset = 0; ; offset += AT_ONCE) {
      const { rows } = await store.ask(`select ${texts} from ${table} order by ctid limit ${AT_ONCE} offset ${offset}`);
      if (rows.length > 0) {
        const lines = rows.map((row) => `  (${row.map(literal).join(', ')})`);
        yield `insert into ${table} (${names.join(', ')}) values\n${lines.join(',\n')};\n`;
      }
      if (rows.length < AT_ONCE) break;
    }
  }
  yield 'commit;\n';
}

/** A literal of unknown type: the column says what it is. */
const literal = (cell: Cell): string => (cell === null ? 'null' : `'${String(cell).replaceAll("'", "''")}'`);
