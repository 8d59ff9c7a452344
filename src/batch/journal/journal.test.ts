import { expect } from 'chai';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FailureEntry } from '../inputs/entries.js';
import { dumpEntry, failureEntry } from '../inputs/entries.test.helper.js';
import { HistoryError } from './history-error.js';
import { History } from './history.js';
import { overviewOf } from '../outputs/overview.js';
import { writeOutputs } from '../outputs/outputs.js';
import { Journal, journalPath, readHead, readJournal, readLineAt, rewriteJournal } from './journal.js';

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

  it('knows every changed byte of a line, also where the line can still be read, and keeps the others', () => {
    const journal = Journal.open(folder);
    const [, b] = ['a', 'b', 'c'].map((path) => journal.append(failureEntry(path)));
    journal.close();
    const whole = readFileSync(journalPath(folder));
    for (let at = b!.offset; at < b!.offset + b!.length; at++) {
      for (const change of [1, 0x20]) {
        const bytes = Buffer.from(whole);
        bytes[at]! ^= change;
        // A line feed in the middle makes two lines of one.
        if (bytes[at] === 10) continue;
        writeFileSync(journalPath(folder), bytes);
        expect(lines().map((line) => line === null), `byte ${at} ^ ${change}`).to.deep.equal([false, false, true, false]); // prettier-ignore
        expect(readLineAt(journalPath(folder), b!)).to.equal(null);
      }
    }
  });

  it('cuts off a torn last line, whatever is in it and however long, so that nothing of it stays behind what comes next', () => {
    const path = journalPath(folder);
    for (const torn of [
      '{"kind":"dump"',
      'x'.repeat(5000),
      JSON.stringify(failureEntry('torn'.repeat(1000))),
      '\0'.repeat(3 << 20),
    ]) {
      // prettier-ignore
      rmSync(path, { force: true });
      const journal = Journal.open(folder);
      journal.append(failureEntry('a'));
      journal.close();
      const size = statSync(path).size;
      appendFileSync(path, torn);
      expect(places(), 'without its line feed it counts for nothing').to.deep.equal(['a']);
      const again = Journal.open(folder);
      expect(statSync(path).size).to.equal(size);
      const at = again.append(failureEntry('b'));
      again.close();
      expect(at.offset).to.equal(size);
      expect(lines().includes(null)).to.equal(false);
      expect(places()).to.deep.equal(['a', 'b']);
    }
  });

  it('of which a whole line lacks its line feed is cut back to the line before', () => {
    const journal = Journal.open(folder);
    journal.append(failureEntry('a'));
    const b = journal.append(failureEntry('b'));
    journal.close();
    truncateSync(journalPath(folder), b.offset + b.length);
    expect(places(), 'it can be read, and its write was not done').to.deep.equal(['a']);
    Journal.open(folder).close();
    expect(statSync(journalPath(folder)).size).to.equal(b.offset);
  });

  it('with a damaged head goes on under another one', () => {
    const journal = Journal.open(folder);
    for (const path of ['a', 'b']) journal.append(failureEntry(path));
    journal.close();
    const bytes = readFileSync(journalPath(folder));
    bytes[20]! ^= 4;
    writeFileSync(journalPath(folder), bytes);
    expect(readHead(journalPath(folder))).to.equal(null);
    expect(History.load(folder).damaged).to.deep.equal([1]);
    const again = Journal.open(folder);
    expect(again.takenOut).to.equal(1);
    expect(again.head.id).to.not.equal(journal.head.id);
    again.close();
    expect(places()).to.deep.equal(['a', 'b']);
    const last = Journal.open(folder);
    expect(last.takenOut).to.equal(0);
    last.close();
  });

  it('takes no dump whose id leads out of the folder of pages', () => {
    const journal = Journal.open(folder);
    for (const id of ['../../x', '..', '/x', 'a\\b', '']) journal.append(dumpEntry('a', { id }));
    journal.close();
    expect(History.load(folder).damaged).to.deep.equal([2, 3, 4, 5, 6]);
  });

  it('holds no file open once it was looked at', function () {
    if (process.platform !== 'linux') this.skip(); // where open files can be counted
    const open = (): number => readdirSync('/proc/self/fd').length;
    Journal.open(folder).close();
    const before = open();
    for (let i = 0; i < 20; i++) {
      Journal.open(folder).close();
      readHead(journalPath(folder));
    }
    expect(open()).to.equal(before);
  });

  it('of the first version, without checksums, is read and gone on with', () => {
    const old = {
      kind: 'failure',
      path: 'a.dmp',
      member: null,
      at: 'x',
      fileId: null,
      error: { code: 'c', message: 'm' },
    };
    const head = { kind: 'journal', version: 1, id: 'x' };
    writeFileSync(journalPath(folder), [head, old].map((line) => `${JSON.stringify(line)}\n`).join(''));
    const journal = Journal.open(folder);
    expect(journal.head.id).to.equal('x');
    journal.append({ ...old, path: 'b.dmp' } as FailureEntry);
    journal.close();
    const lines = [...readJournal(journalPath(folder))];
    const paths = lines.map(({ line }) => (line?.kind === 'failure' ? line.path : line?.kind));
    expect(paths).to.deep.equal(['journal', 'a.dmp', 'b.dmp']);
    for (const place of lines) expect(readLineAt(journalPath(folder), place)).to.deep.equal(place.line);
  });

  it('is not taken from a file that is none, and left as it was', () => {
    const text = 'my notes\n'.repeat(40);
    writeFileSync(journalPath(folder), text);
    expect(() => Journal.open(folder)).to.throw(HistoryError, /no journal of dumpleak/);
    expect(readFileSync(journalPath(folder), 'utf8')).to.equal(text);
  });

  it('of a newer version is refused', () => {
    writeFileSync(journalPath(folder), '{"kind":"journal","version":99,"id":"x"}\n');
    expect(() => Journal.open(folder)).to.throw(HistoryError, /newer dumpleak/);
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

describe('batch: outputs that another program has open', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'dumpleak-test-'))));
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('stay as they were and are told; the others are written', () => {
    const journal = Journal.open(folder);
    journal.append(failureEntry('a'));
    journal.close();
    const history = History.load(folder);
    const rename = (from: string, to: string): void => {
      if (to.endsWith('index.html')) throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
      renameSync(from, to);
    };
    const told = writeOutputs(folder, history, overviewOf(history), new Date(), { rename, delays: [1] });
    expect(told).to.deep.equal([
      `${join(folder, 'index.html')} could not be replaced: it is open in another program, or access to it is denied`,
    ]);
    expect(readdirSync(folder).sort()).to.deep.equal(['groups.json', 'journal.ndjson', 'pages', 'results.ndjson']);
  });
});
