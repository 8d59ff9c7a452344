/** The quick ones of `npm run evaluate-cases`, how they are judged, and what the page says of all of them. */

import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import type { AnalysisResult } from '../../src/result/result.js';
import { FIELD_CASES } from '../../test-dumps/field-cases/field-cases.js';
import { GOAL, isRight, tablesOf, tryCase } from './cases.js';
import { judgeCase } from './cases/judge-case.js';

const page = (): string => readFileSync(new URL('../../../docs/field-cases.md', import.meta.url), 'utf8');
/** Of each kind one or two whose machines are small. */
const QUICK = [17, 18, 21, 22, 24, 28, 29, 30, 34, 36, 38, 39];
/** An answer without anything in it. */
const NOTHING: Pick<AnalysisResult, 'suspects' | 'verdict' | 'memory' | 'warnings'> = {
  suspects: [],
  verdict: { leakSuspected: false, headline: '', nextSteps: [], culprit: null },
  memory: null,
  warnings: [],
};

describe('published field cases', function () {
  this.timeout(60_000);

  it('are 42, each once', () => {
    expect(FIELD_CASES.map(({ number }) => number)).to.deep.equal(Array.from({ length: 42 }, (_, i) => i + 1));
  });

  it('stand on the page with nobody wrong, and enough of them right', () => {
    const counts = /\| cases \|.*\n\|[-:|]+\n\| 42 \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|/.exec(page());
    const [culprit, kind, silent, wrong] = (counts ?? []).slice(1).map(Number);
    expect(wrong).to.equal(0);
    expect((culprit ?? 0) + (kind ?? 0)).to.be.at.least(GOAL);
    expect((culprit ?? 0) + (kind ?? 0) + (silent ?? 0)).to.equal(42);
  });

  it('are answered as the page says', () => {
    const answers = FIELD_CASES.filter(({ number }) => QUICK.includes(number)).map(tryCase);
    const told = new Map(
      [...page().matchAll(/^\| (\d+) \| .* \| (right [a-z]+|silent) \|$/gm)].map((row) => [row[1], row[2]]),
    );
    expect(told.size).to.equal(42);
    for (const { field, outcome, says } of answers)
      expect(`${field.number} ${outcome}`, says).to.equal(`${field.number} ${told.get(String(field.number))}`);
    expect(answers.filter(isRight).length).to.be.at.least(10);
    expect(tablesOf(answers)).to.contain('| 17 | lock step | `WCsc` 503,677');
  });
});

describe('judging a field case', () => {
  const answer = { kinds: ['no leak'], tags: [], culprit: null } as const;

  it('calls silence silent where something is to be said, and right where nothing is', () => {
    expect(judgeCase(answer, NOTHING).outcome).to.equal('right class');
    expect(judgeCase({ ...answer, kinds: ['not pool'], where: /page table/ }, NOTHING).outcome).to.equal('silent');
    const says = { ...NOTHING, verdict: { ...NOTHING.verdict, headline: 'Not a pool leak: page tables hold 5 GB' } };
    expect(judgeCase({ ...answer, kinds: ['not pool'], where: /page table/ }, says).outcome).to.equal('right class');
  });

  it('calls an innocent wrong, whoever else is named, and a leak where there is none', () => {
    const named = (module: string): typeof NOTHING => ({
      ...NOTHING,
      verdict: {
        ...{ leakSuspected: true, headline: '', nextSteps: [] },
        culprit: { kind: 'driver', module, base: null, process: null, confidence: 'medium', because: [] },
      },
    });
    const driver = { kinds: ['driver'], tags: ['Leak'], culprit: 'Guilty.sys' } as const;
    expect(judgeCase(driver, named('innocent.sys'))).to.include({ outcome: 'wrong', why: 'accuses innocent.sys' });
    expect(judgeCase(driver, named('guilty.sys')).outcome).to.equal('right culprit');
    expect(judgeCase(answer, { ...NOTHING, verdict: { ...NOTHING.verdict, leakSuspected: true } }).outcome).to.equal(
      'wrong',
    );
  });
});
