import { expect } from 'chai';
import type { AnalysisResult, Suspect } from '../../result/result.js';
import { FULL, TRIAGE, UNKNOWN } from '../golden/samples.js';
import { renderAnalysisPage } from '../html/analysis-page.js';
import { renderAnalysis } from './analyze.js';
import { versionText } from './analyze-suspects.js';
import { createStyle } from '../../views/print/style.js';
import { leakResult } from '../../views/samples.test.helper.js';

describe('analyze, in short', () => {
  it('is one screen with --brief: verdict, who, what speaks against it, what to do', () => {
    const full = renderAnalysis(leakResult(), { width: 80 });
    const text = renderAnalysis(leakResult(), { width: 80, brief: true });
    expect(text.split('\n')[0]).to.equal(full.split('\n')[0]);
    expect(text).to.match(/\n {2}Holds /).and.match(/\n {2}Drivers +myfault\.sys [\d.]+ \(high\)/).and.match(/\n {2}Speaks against it, or is not known\n {4}- /).and.match(/\nNext steps\n/); // prettier-ignore
    for (const { message } of leakResult().suspects[0]!.against) {
      expect(text.replace(/\s+/g, ' ')).to.include(message.replace(/\s+/g, ' '));
    }
    expect(text)
      .to.not.match(/kd> /)
      .and.not.match(/\(low\)/);
    expect(text.split('\n').length).to.be.at.most(40);
    for (const result of [FULL, TRIAGE, UNKNOWN]) {
      for (const line of renderAnalysis(result, { width: 80, brief: true }).split('\n')) expect(line.length, line).to.be.at.most(80); // prettier-ignore
    }
  });

  it('says the verdict once more at the end where it is asked to, in one line', () => {
    const { headline } = leakResult().verdict;
    for (const width of [80, 120]) {
      const lines = renderAnalysis(leakResult(), { width, closing: true }).trimEnd().split('\n');
      expect(lines.at(-1)!.startsWith(headline)).to.equal(true);
      expect(lines.at(-1)!.length).to.be.at.most(width);
    }
    expect(renderAnalysis(leakResult(), { width: 80 }).trimEnd().endsWith(headline)).to.equal(false);
    const long = { ...leakResult(), verdict: { ...leakResult().verdict, headline: 'x '.repeat(200) } };
    expect(renderAnalysis(long, { width: 80, closing: true }).trimEnd().split('\n').at(-1)!.length).to.be.at.most(80);
  });

  it('keeps the version of a driver at 80 columns', () => {
    const version = { companyName: 'A company with a long name GmbH', fileDescription: 'Something that it describes at length', fileVersion: '10.0.22000.2538', productName: null, productVersion: null } as never; // prettier-ignore
    const style = createStyle({ width: 80 });
    for (const width of [10, 16, 30, 40, 50]) {
      const text = versionText(version, width, style);
      expect(text.length).to.be.at.most(width);
      if (width >= 16) expect(text.endsWith('10.0.22000.2538'), text).to.equal(true);
    }
    expect(versionText(null, 40, style)).to.equal('');
  });

  it('calls a tag that was asked for so, and counts the suspects without it', () => {
    const asked: Suspect = {
      ...leakResult().suspects[0]!,
      tag: 'File',
      drivers: [],
      reasons: [{ code: 'requested', message: 'Tag File was asked for' }],
    };
    const result: AnalysisResult = { ...leakResult(), suspects: [leakResult().suspects[0]!, asked] };
    for (const brief of [false, true]) {
      const text = renderAnalysis(result, { brief });
      expect(text).to.match(/\nSuspect: tag Leak, nonpaged pool {3}confidence high\n/);
      expect(text).to.match(/\nAsked for: tag File, nonpaged pool\n/);
    }
    const page = renderAnalysisPage(result);
    expect(page).to.include('>Suspect: tag <code>Leak</code>').and.include('>Asked for: tag <code>File</code>');
  });
});
