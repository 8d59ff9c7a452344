import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { scoreTable } from '../../../tools/evaluate/trend.js';
import { TRIALS } from '../../../tools/evaluate/trend.js';
import * as thresholds from './growth-thresholds.js';

// build/src/leak/growth -> project root
const text = readFileSync(new URL('../../../../docs/trend.md', import.meta.url), 'utf8');

describe('docs/trend.md', () => {
  it('tells every constant with its value', () => {
    for (const [name, value] of Object.entries(thresholds)) {
      if (name === 'PAL') continue;
      const shown = Array.isArray(value)
        ? value.join(' to ')
        : typeof value === 'number'
          ? String(value)
          : Object.entries(value)
              .map(([key, part]) => `${key} ${String(part)}`)
              .join(', ');
      expect(text, name).to.include(`| \`${name}\` | ${shown} |`);
    }
  });

  it('has a row for every trial, and keeps what it promises', () => {
    const header = scoreTable([]).split('\n')[0] ?? '';
    expect(text).to.include(header);
    for (const { name, promise } of TRIALS) {
      const row = text.split('\n').find((line) => line.startsWith(`| ${name} |`));
      expect(row, name).to.be.a('string');
      const leaks = Number(row!.split('|')[2]!.replace('%', '')) / 100;
      if (promise?.atLeast !== undefined) expect(leaks, name).to.be.at.least(promise.atLeast);
      if (promise?.atMost !== undefined) expect(leaks, name).to.be.at.most(promise.atMost);
    }
  });
});
