/** What tests of text compare with: golden files beside them, and the transcripts of the acceptance text. */

import { expect } from 'chai';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

// build/src/views -> project root
const ROOT = new URL('../../../', import.meta.url);
const ACCEPTANCE = new URL('../shared/acceptance/README.md', ROOT);

/** Compares with files of the folder `golden` beside a test (its `import.meta.url`); UPDATE_GOLDEN=1 writes them. */
export function goldenBeside(test: string): (name: string, actual: string) => void {
  const folder = new URL('golden/', test.replace('/build/src/', '/src/'));
  return (name, actual) => {
    const file = new URL(name, folder);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, actual);
    expect(existsSync(file), `golden file ${name} exists (UPDATE_GOLDEN=1 writes it)`).to.equal(true);
    expect(actual).to.equal(readFileSync(file, 'utf8'));
  };
}

/** The lines of a transcript in the acceptance text, by its command; null where the text is not at hand. */
export function acceptanceBlock(command: string): string[] | null {
  if (!existsSync(ACCEPTANCE)) return null;
  const lines = readFileSync(ACCEPTANCE, 'utf8').replaceAll('\r', '').split('\n');
  const title = lines.findIndex((line) => line.startsWith(`\`${command}\``));
  const start = lines.indexOf('```', title) + 1;
  if (title < 0 || start === 0) throw new Error(`no transcript of ${command} in the acceptance text`);
  return lines.slice(start, lines.indexOf('```', start));
}

/** Every string in a value replaced by what `change` makes of it, keys untouched; codes of fixed lists stay. */
export function mapStrings<T>(value: T, change: (text: string, key: string) => string): T {
  const walk = (node: unknown, key: string): unknown => {
    if (typeof node === 'string') return change(node, key);
    if (Array.isArray(node)) return node.map((item) => walk(item, key));
    if (typeof node !== 'object' || node === null) return node;
    return Object.fromEntries(Object.entries(node).map(([name, item]) => [name, walk(item, name)]));
  };
  return walk(value, '') as T;
}
