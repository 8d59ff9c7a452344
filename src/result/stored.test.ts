import { expect } from 'chai';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { overviewOf } from '../batch/outputs/overview.js';
import { History } from '../batch/journal/history.js';
import { journalPath, readJournal } from '../batch/journal/journal.js';
import { renderPage } from '../batch/outputs/pages.js';
import { Collector } from '../growth/read/collector.js';
import { readResults } from '../growth/read/read-dump.js';
import { csvFiles } from '../report/csv.js';
import { renderAnalysisPage } from '../report/html/analysis-page.js';
import { renderJson } from '../report/json.js';
import { renderAnalysis } from '../report/text/analyze.js';
import { SCHEMA_VERSION, type AnalysisResult } from './result.js';
import { asCurrent } from './stored.js';

const golden = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../src/result/golden/${name}`, import.meta.url)), 'utf8');
const OLD = JSON.parse(golden('schema-1.json')) as AnalysisResult;

describe('stored results of schema version 1', () => {
  it('become results of this version, with what joins their tables', () => {
    const { schemaVersion, suspects, verdict } = asCurrent(OLD);
    expect(schemaVersion).to.equal(SCHEMA_VERSION);
    expect(suspects[0]?.key).to.equal('0x6b61654c');
    expect(suspects[0]?.drivers[0]).to.include({ module: 'myfault.sys', base: null });
    expect(suspects[0]?.drivers[0]?.evidence[0]?.from).to.equal('dump');
    expect(verdict).to.include({ leakSuspected: true, culprit: null });
    expect(OLD.schemaVersion).to.equal('1.0');
    const again = asCurrent(OLD);
    expect(asCurrent(again)).to.equal(again);
  });

  it('do not say "no leak" where there was nothing to judge by', () => {
    const none = { ...OLD, poolTags: null, suspects: [], verdict: { ...OLD.verdict, leakSuspected: false } };
    expect(asCurrent(none).verdict.leakSuspected).to.equal(null);
    expect(asCurrent({ ...none, poolTags: OLD.poolTags }).verdict.leakSuspected).to.equal(false);
  });

  it('can be reported in every form', () => {
    for (const result of [OLD, asCurrent(OLD)]) {
      expect(renderAnalysis(result)).to.contain('myfault.sys');
      expect(renderAnalysisPage(result)).to.contain('myfault.sys');
      expect(renderJson(result)).to.contain('"culprit": null');
      expect(csvFiles(result).map(({ text }) => text.length > 0)).to.not.include(false);
    }
  });

  it('are samples of a trend', () => {
    const to = new Collector();
    expect(readResults(Buffer.from(golden('schema-1.json')), 'old.json', to)).to.equal(null);
    expect(to.samples).to.have.length(1);
  });

  it('stay in a history, and their pages can be made again', () => {
    const folder = mkdtempSync(join(tmpdir(), 'dumpleak-stored-'));
    try {
      mkdirSync(folder, { recursive: true });
      writeFileSync(journalPath(folder), golden('schema-1.journal.ndjson'));
      const history = History.load(folder);
      expect(history.damaged).to.deep.equal([]);
      const { records } = overviewOf(history);
      expect(records.map(({ summary }) => summary.leakSuspected)).to.have.members([true, null]);
      for (const { line } of readJournal(journalPath(folder))) {
        if (line?.kind !== 'dump') continue;
        expect(line.result.schemaVersion).to.equal(SCHEMA_VERSION);
        expect(renderPage({ ...line.result, modules: null })).to.match(/leak suspected|not decided/);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
