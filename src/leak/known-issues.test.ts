import { expect } from 'chai';
import fc from 'fast-check';
import { failed } from '../../parsers/bytes/failure.js';
import type { Confidence, ModuleInfo } from '../result/result.js';
import { parseKnownIssues, readKnownIssues } from '../analysis/known-issues-file.js';
import { builtInIssues, issuesOf } from './known-issues.js';
import { modulesOf } from './scenario.test.helper.js';

const ACME = `- tag: Acme
  driver: ACME.sys
  from: 2.0
  before: 2.3.1
  known: Leaks 4 KB at every sleep.
  fix: Version 2.3.1.
  source: ticket 1234
`;

const message = (text: string): string => {
  const entries = parseKnownIssues(text, 'a/my.yaml');
  return failed(entries) ? entries.message : `${entries.length} entries`;
};

/** What fits a suspect of this tag whose driver has this version and confidence. */
function fitting(text: string, version: string | null, confidence: Confidence = 'medium', tag = 'Acme'): string[] {
  const entries = parseKnownIssues(text, 'a/my.yaml');
  if (failed(entries)) throw new Error(entries.message);
  const [module] = modulesOf('acme.sys');
  const named = { fileVersion: version, productName: null, companyName: null, fileDescription: null };
  const modules: ModuleInfo[] = [{ ...module!, version: version === null ? null : named }];
  const drivers = [{ module: 'acme.sys', confidence, evidence: [] }];
  return issuesOf({ tag, drivers }, modules, entries).map(({ known }) => known);
}

describe('known issues', () => {
  it('fit by tag, driver and version', () => {
    const known = ['Leaks 4 KB at every sleep.'];
    for (const version of ['2.0', '2.0.0.0', '2.3.0.9']) expect(fitting(ACME, version), version).to.deep.equal(known);
    for (const version of ['1.9.9.9', '2.3.1', '2.3.1.0', '10.0', null, 'odd']) {
      expect(fitting(ACME, version), String(version)).to.deep.equal([]);
    }
    expect(fitting(ACME, '2.1', 'low')).to.deep.equal([]);
    expect(fitting(ACME, '2.1', 'high', 'acme')).to.deep.equal([]);
  });

  it('fit by the tag alone where they name no driver, and by groups of tags', () => {
    const text = '- {tag: "Ac*", known: Something, source: here}';
    expect(fitting(text, null, 'low')).to.deep.equal(['Something']);
    expect(fitting(text, null, 'low', 'Leak')).to.deep.equal([]);
  });

  it('say in which line a mistake is', () => {
    expect(message(`${ACME}- tag: Toolong\n  known: x\n  source: y\n`)).to.match(/^a\/my\.yaml:8: tag is missing, or/);
    expect(message(`${ACME}- tag: Acme\n  driwer: x\n`)).to.match(/^a\/my\.yaml:9: "driwer" is none of tag, driver/);
    expect(message('- tag: Acme\n  known: x\n')).to.match(/:1: source is missing/);
    expect(message('- tag: Acme\n  known: [x]\n  source: y')).to.match(/:2: known wants a text/);
    expect(message('- tag: Acme\n  source: y')).to.match(/:1: known is missing/);
    expect(message('- {tag: Acme, driver: a.sys, from: x, known: x, source: y}')).to.match(/:1: from is no version/);
    expect(message('- {tag: Acme, before: 1.0, known: x, source: y}')).to.match(/:1: versions are those of a driver/);
    expect(message('- {tag: Acme, driver: ../a.sys, known: x, source: y}')).to.match(/:1: driver is no file name/);
    expect(message('tag: Acme')).to.match(/:1: a list of entries is wanted/);
    expect(message('- Acme')).to.match(/:1: an entry is a list of names/);
    expect(message('\n- tag: "Acme')).to.match(/^a\/my\.yaml:\d+: /);
    expect(message('')).to.equal('0 entries');
  });

  it('that are built in are sound, and the sample dump fits one', () => {
    const drivers = [{ module: 'myfault.sys', confidence: 'high' as const, evidence: [] }];
    expect(issuesOf({ tag: 'Leak', drivers }, [], builtInIssues())[0]?.known).to.contain('on purpose');
    expect(builtInIssues().every(({ source, file }) => source.startsWith('https://') && file === null)).to.equal(true);
  });

  it('that are built in say each whose they are, where that stands, and what is known of a fix', () => {
    const entries = builtInIssues();
    expect(entries.length).to.be.greaterThan(5);
    for (const { tag, fix, source, from, before } of entries) {
      expect(fix, tag).to.match(/\.$/);
      expect(source, tag).to.match(/^https:\/\/[\w.-]+\/\S+$/);
      if (tag !== 'Leak' && from === null && before === null) expect(fix, tag).to.contain('No fixed version');
    }
    expect(new Set(entries.map(({ tag, driver }) => `${tag} ${driver}`)).size).to.equal(entries.length);
  });

  it('fit the driver that tags in lock step lead to, by the tag of its own', () => {
    const member = {
      key: '0x63734357',
      tag: 'WCsc',
      pool: 'paged',
      outstanding: 503_677,
      ratio: 1,
      owner: null,
    } as const;
    const culprit = (confidence: Confidence) => ({ module: 'wcifs.sys', base: null, confidence, because: '' });
    const found = (confidence: Confidence, tag: string): (string | null)[] =>
      issuesOf(
        { tag: 'NtFC', drivers: [], cluster: { members: [{ ...member, tag }], culprit: culprit(confidence) } },
        [],
        builtInIssues(),
      ).map(({ driver }) => driver);
    expect(found('medium', 'WCsc')).to.deep.equal(['wcifs.sys', null]);
    expect(found('low', 'WCsc')).to.deep.equal([null]);
    expect(found('medium', 'Othr')).to.deep.equal([null]);
  });

  it('that cannot be read are told', () => {
    const found = readKnownIssues('none/such.yaml');
    expect(failed(found) && found.message).to.match(/^none\/such\.yaml: no such file/);
  });

  it('end on any text', () => {
    fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => typeof message(`- tag: ${text}`) === 'string'));
    expect(message(`${'- '.repeat(5000)}x`)).to.be.a('string');
  });
});
