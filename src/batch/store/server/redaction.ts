/** A shared history without names: redacted as a whole or not at all, by every host under the same key, as that of a folder is. */

import { randomKey } from '../../../redact/key.js';
import { HistoryError } from '../../journal/history-error.js';
import { markOf } from '../../redaction.js';
import { setState, stateOf, type Session } from '../engine.js';

/** What the user wants: null for no redaction, a key, or the history's own. */
export type AskedKey = Uint8Array | 'own' | null;

/** Within a transaction that holds the lock for appending. Throws HistoryError (`other-key`). */
export async function chooseKey(session: Session, asked: AskedKey, words: string) {
  const mark = await stateOf(session, 'redact');
  if (mark === undefined) {
    if (asked === null) return { key: null, mark };
    const { rows } = await session.query('select from entries limit 1');
    if (rows.length > 0) {
      throw new HistoryError('other-key', `${words} was begun without --redact and holds names: name another database`);
    }
    const key = asked === 'own' ? randomKey() : asked;
    await setState(session, 'redact', markOf(key));
    if (asked === 'own') {
      await session.query('insert into redact_key values ($1)', [Buffer.from(key).toString('hex')]);
    }
    return { key, mark: markOf(key) };
  }
  const key = asked instanceof Uint8Array ? asked : await ownKey(session);
  if (key === null) {
    throw new HistoryError('other-key', `${words} was redacted under a key that is not kept there: give it with --redact-key`); // prettier-ignore
  }
  if (markOf(key) === mark) return { key, mark };
  throw new HistoryError('other-key', `${words} was redacted under another key: give that one with --redact-key`);
}

async function ownKey(session: Session): Promise<Uint8Array | null> {
  const { rows } = await session.query<{ key: string }>('select key from redact_key');
  return rows[0] === undefined ? null : Buffer.from(rows[0].key, 'hex');
}
