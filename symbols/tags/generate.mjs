/**
 * Writes data/pool-tag-binaries.txt from a JSON file { "tags": { TAG: [binary, ...] } }:
 * `node symbols/tags/generate.mjs INPUT.json`. The same input gives the same bytes.
 *
 * Changes to the facts: `<name.sys>` loses its brackets, since it names a file; nothing else.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';

const input = process.argv[2];
if (!input) throw new Error('usage: node symbols/tags/generate.mjs INPUT.json');

const { tags } = JSON.parse(readFileSync(input, 'utf8'));
const groups = new Map();
for (const [tag, binaries] of Object.entries(tags)) {
  if (!/^[ -~]{4}$/.test(tag)) throw new Error(`not a tag of four printable characters: ${JSON.stringify(tag)}`);
  if (!Array.isArray(binaries) || binaries.length === 0) throw new Error(`no binaries for ${JSON.stringify(tag)}`);
  const names = binaries.map((name) => {
    if (!/^[!-~]([ -~]*[!-~])?$/.test(name) || name.includes('|'))
      throw new Error(`not a name: ${JSON.stringify(name)}`);
    return name.replace(/^<(.+\.(?:sys|dll|exe))>$/i, '$1');
  });
  const key = names.join('|');
  groups.set(key, [...(groups.get(key) ?? []), tag]);
}

const byCode = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const lines = [...groups]
  .sort(([a], [b]) => byCode(a.toLowerCase(), b.toLowerCase()) || byCode(a, b))
  .map(([key, list]) => `${list.sort(byCode).join('')}\t${key}\n`);

const header =
  '# Pool tags, four columns each, TAB, the binaries that use them (newest source first, | between). See NOTICE.md.\n';
writeFileSync(new URL('data/pool-tag-binaries.txt', import.meta.url), header + lines.join(''));
