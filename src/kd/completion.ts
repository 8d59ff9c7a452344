/** What may stand for the word that is being typed: commands, modules, symbols. */

import type { Session } from './session.js';

/** Names that are offered at most. */
const MOST = 200;

/** Candidates and the part of the line that they would take the place of. */
export interface Completions {
  readonly candidates: readonly string[];
  readonly word: string;
}

/** Symbols of a module are read when its name and `!` were typed. */
export async function complete(session: Session, line: string): Promise<Completions> {
  const command = line.slice(line.lastIndexOf(';') + 1).trimStart();
  if (!/\s/.test(command)) {
    const lower = command.toLowerCase();
    const names = session.catalog.names.filter((name) => name.toLowerCase().startsWith(lower));
    return { candidates: names.slice(0, MOST).sort(), word: command };
  }
  const word = /[\w!$?@:]*$/.exec(line)?.[0] ?? '';
  const bang = word.indexOf('!');
  if (bang < 0) {
    const lower = word.toLowerCase();
    const found = session.symbols.modules.filter(({ moduleName }) => moduleName.toLowerCase().startsWith(lower));
    return { candidates: word === '' ? [] : found.slice(0, MOST).map(({ moduleName }) => moduleName), word };
  }
  const module = session.symbols.named(word.slice(0, bang));
  if (module === null) return { candidates: [], word };
  const table = await session.symbols.tableOf(module);
  const names = table.beginningWith(word.slice(bang + 1), MOST);
  return { candidates: names.map((name) => `${word.slice(0, bang)}!${name}`), word };
}
