import { expect } from 'chai';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failureEntry } from './entries.test.helper.js';
import { Journal, JournalError, journalPath, readJournal, readLineAt, rewriteJournal } from './journal.js';

describe('batch: journal', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'dumpleak-test-'))));
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const lines = () => [...readJournal(journalPath(folder))].map(({ line }) => line);
  const places = () => lines().flatMap((line) => (line !== null && line.kind !== 'journal' ? line.path : []));

  it('gives back what was appended, also after it was closed and opened again', () => {
    for (const path of ['a', 'b', 'ü\n\u2028']) {
      const journal = Journal.open(folder);
      const at = journal.append(failureEntry(path));
      journal.close();
      expect(readLineAt(journalPath(folder), at)).to.deep.equal(failureEntry(path));
    }
    expect(places()).to.deep.equal(['a', 'b', 'ü\n\u2028']);
  });

  it('is empty where there is none', () => {
    expect(lines()).to.deep.equal([]);
  });

  it('cut at any byte, it keeps every whole line and goes on behind them', () => {
    const journal = Journal.open(folder);
    const ends = ['a', 'b', 'c'].map((path) => {
      const { offset, length } = journal.append(failureEntry(path));
      return offset + length + 1;
    });
    journal.close();
    const path = journalPath(folder);
    const whole = readFileSync(path);
    const sizes = Array.from({ length: whole.length + 1 }, (_, size) => size);
    for (const size of sizes.filter((n) => n % 13 === 0 || ends.some((end) => Math.abs(n - end) < 2))) {
      writeFileSync(path, whole);
      truncateSync(path, size);
      const again = Journal.open(folder);
      again.append(failureEntry('next'));
      again.close();
      const kept = ['a', 'b', 'c'].filter((_, i) => (ends[i] ?? 0) <= size);
      expect(places(), `${size} bytes`).to.deep.equal([...kept, 'next']);
    }
  });

  it('tells of a damaged line between others and reads those', () => {
    const journal = Journal.open(folder);
    journal.append(failureEntry('a'));
    journal.close();
    appendFileSync(journalPath(folder), '{"kind":"dump","path":1}\nnoise\n\n');
    const again = Journal.open(folder);
    again.append(failureEntry('b'));
    again.close();
    expect(lines().map((line) => line === null)).to.deep.equal([false, false, true, true, true, false]);
  });

  it('is not taken from a file that is none, and left as it was', () => {
    const text = 'my notes\n'.repeat(40);
    writeFileSync(journalPath(folder), text);
    expect(() => Journal.open(folder)).to.throw(JournalError, /no journal of dumpleak/);
    expect(readFileSync(journalPath(folder), 'utf8')).to.equal(text);
  });

  it('of a newer version is refused', () => {
    writeFileSync(journalPath(folder), '{"kind":"journal","version":99,"id":"x"}\n');
    expect(() => Journal.open(folder)).to.throw(JournalError, /newer dumpleak/);
  });

  it('written anew has another id and the lines that stay', () => {
    const journal = Journal.open(folder);
    for (const path of ['a', 'b', 'c']) journal.append(failureEntry(path));
    journal.close();
    rewriteJournal(journalPath(folder), ({ path }) => path !== 'b');
    expect(places()).to.deep.equal(['a', 'c']);
    const again = Journal.open(folder);
    expect(again.head.id).to.not.equal(journal.head.id);
    again.close();
  });

  it('reads lines across the borders of its chunks', () => {
    const journal = Journal.open(folder);
    const long = Array.from({ length: 9 }, (_, i) => `${i}${'x'.repeat(300_000 + i)}`);
    for (const path of long) journal.append(failureEntry(path));
    journal.close();
    expect(places()).to.deep.equal(long);
  });
});
