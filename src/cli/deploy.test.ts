/** The files in docs/deploy and the lines of docs/scale.md: they can be read, and name commands and options that there are. */

import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { optionsOf } from './options/options.js';
import { COMMANDS } from './registry.js';

// build/src/cli -> project root
const DOCS = new URL('../../../docs/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, DOCS), 'utf8');
const FILES = readdirSync(new URL('deploy/', DOCS)).map((name) => `deploy/${name}`);

/** What is wrong with the words of a command line after `dumpleak`. */
async function wrongIn(words: readonly string[]): Promise<string[]> {
  const found = COMMANDS.find(({ name }) => name === words.slice(0, name.split(' ').length).join(' '));
  if (found === undefined) return [`no command: ${words.join(' ')}`];
  const { command } = await found.load();
  const known = new Set(Object.keys(optionsOf(command)));
  const options = words.filter((word) => word.startsWith('--')).map((word) => word.slice(2).split('=')[0] ?? '');
  return options.filter((name) => !known.has(name)).map((name) => `${found.name} has no --${name}`);
}

/** The argument lists of a YAML file that begin with a command of the program. */
function listsIn(value: unknown): string[][] {
  if (Array.isArray(value)) {
    if (value.every((one) => typeof one === 'string')) return value[0] === 'worker' ? [value] : [];
    return value.flatMap(listsIn);
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(listsIn) : [];
}

/** Lines of text that run the program: in shells, units and documents. */
const linesIn = (text: string): string[][] =>
  [...text.matchAll(/^[^\S\n]*(?:#[^\S\n]*)?(?:ExecStart=\/usr\/bin\/)?dumpleak ([a-z].*)$/gm)].map(([, line = '']) =>
    line.trim().split(/\s+/),
  );

describe('docs/deploy and docs/scale.md', () => {
  it('are YAML where they say so', () => {
    for (const name of FILES.filter((file) => file.endsWith('.yaml'))) {
      const documents = parseAllDocuments(read(name));
      for (const { errors } of documents) expect(errors, name).to.deep.equal([]);
    }
  });

  it('name commands and options that there are', async () => {
    const lines = [
      ...FILES.filter((file) => file.endsWith('.yaml')).flatMap((name) =>
        parseAllDocuments(read(name)).flatMap((document) => listsIn(document.toJS())),
      ),
      ...[...FILES, 'scale.md'].flatMap((name) => linesIn(read(name))),
      ...[...read('deploy/Dockerfile').matchAll(/^CMD (\[.*\])$/gm)].map(
        ([, list = '']) => JSON.parse(list) as string[],
      ),
    ];
    expect(lines.length).to.be.greaterThan(12);
    const wrong = await Promise.all(lines.map(wrongIn));
    expect(wrong.flat()).to.deep.equal([]);
    // And a wrong one would be seen.
    expect(await wrongIn(['worker', '--no-such', 'x'])).to.deep.equal(['worker has no --no-such']);
  });

  it('are all told of in docs/scale.md', () => {
    const text = read('scale.md');
    for (const name of FILES.filter((file) => !file.endsWith('ignore'))) expect(text).to.contain(`(${name})`);
  });
});
