import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WARNING_CODES, warningMeaning } from './warning-codes.js';

/** Made of two parts where the warning is. */
const COMPOSED = /^(?:implausible|unexplained)-(?:paged|nonpaged)-pool$/;

describe('warning codes', () => {
  it('have words, and are lower-case words with hyphens', () => {
    for (const code of WARNING_CODES) {
      expect(code).to.match(/^[a-z]+(-[a-z]+)*$/);
      expect(warningMeaning(code), code).to.match(/^\S.{10,}[^.]$/);
    }
  });

  it('are given by some part of the program each', () => {
    const sources = ['src', 'symbols', 'parsers'].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts') && !/\.test\.|warning-codes|shape-|symbols.warnings/.test(name))
        .map((name) => readFileSync(join(folder, name), 'utf8')),
    );
    // The unions of the lower rooms are no use of a code.
    const text = sources.join('\n').replaceAll(/^ {2}\| '[a-z-]+';?$/gm, '');
    const unused = WARNING_CODES.filter((code) => !COMPOSED.test(code) && !text.includes(`'${code}'`));
    expect(unused).to.deep.equal([]);
  });
});
