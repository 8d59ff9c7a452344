/** What the engines of a store have in common: PGlite in this process, and a PostgreSQL server. */

/** What a statement gives. */
export interface Answer<Row> {
  rows: Row[];
}

/** A transaction that is open. */
export interface Session {
  /** One statement; its values stand as `$1`, `$2`. */
  query<Row>(text: string, values?: unknown[]): Promise<Answer<Row>>;
  /** Any number of statements, without values. */
  exec(text: string): Promise<unknown>;
}

export type Cell = string | number | boolean | null;

export interface Table {
  columns: string[];
  rows: Cell[][];
}

/** Whoever answers questions. */
export interface Asked {
  /** Asks a question; nothing can be changed by it. Throws HistoryError (`bad-question`). */
  ask(question: string, values?: readonly unknown[]): Promise<Table>;
}

/** A value of an engine as a cell. */
export function asCell(value: unknown): Cell {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return typeof value === 'bigint' ? value.toString() : JSON.stringify(value);
}

/** Text as a column can hold it: PostgreSQL takes no NUL, and no half of a pair. */
export const storable = (text: string): string => text.replaceAll('\0', '\ufffd').toWellFormed();

/** Values as JSON that a column or a set of rows can be made of. */
export const storableJson = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === 'string' ? storable(part) : part));

/** What a store keeps of itself, by its key; undefined where nothing stands there. */
export async function stateOf(session: Session, key: string): Promise<string | undefined> {
  const { rows } = await session.query<{ value: string }>('select value from state where key = $1', [key]);
  return rows[0]?.value;
}

export async function setState(session: Session, key: string, value: string): Promise<void> {
  await session.query('insert into state values ($1, $2) on conflict (key) do update set value = excluded.value', [
    key,
    value,
  ]);
}
