/** Puts tables that a command made into a page, between the marks that it left there. */

import { readFileSync, writeFileSync } from 'node:fs';

const END = '<!-- end -->';

/** Throws for a page that has no place for them. `command` is the script of package.json that writes them. */
export function putBetween(page: string, command: string, text: string): void {
  const start = `<!-- written by npm run ${command} -->`;
  const old = readFileSync(page, 'utf8');
  const [before, after] = [old.indexOf(start), old.indexOf(END)];
  if (before < 0 || after < before) throw new Error(`${page} has no place for the tables`);
  writeFileSync(page, `${old.slice(0, before)}${start}\n\n${text}\n\n${old.slice(after)}`);
}
