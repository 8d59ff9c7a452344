import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A build that is compared with a number, or with a constant that can only be one. */
const COMPARED = /\bbuild(?:Number)?\b(?: \?\? 0\))? *(?:[<>]=?|[!=]==) *(?:\d{4,}|(?!LARGEST)[A-Z][A-Z_]+\b)/;

describe('build numbers', () => {
  it('are compared in the table of generations alone', () => {
    const found = ['parsers', 'symbols', 'src'].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts') && !name.includes('.test.'))
        .map((name) => join(folder, name))
        .filter((path) => path !== join('symbols', 'generations.ts'))
        .flatMap((path) =>
          readFileSync(path, 'utf8')
            .split('\n')
            .flatMap((line, i) => (COMPARED.test(line) ? `${path}:${i + 1} ${line.trim()}` : [])),
        ),
    );
    expect(found).to.deep.equal([]);
  });

  it('would be found', () => {
    for (const line of ['identity.buildNumber >= 22000', '(build ?? 0) >= 19041', 'buildNumber < LONG_STACKS']) {
      expect(COMPARED.test(line), line).to.equal(true);
    }
    expect(COMPARED.test("kernelDoes('hasTypeIndexes', buildNumber)")).to.equal(false);
  });
});
