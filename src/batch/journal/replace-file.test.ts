import { expect } from 'chai';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { holdFile } from '../../../test-dumps/held-file.test.helper.js';
import { HistoryError } from './history-error.js';
import { keepFile, removeTemporaryFiles, replaceFile, writeTemporaryFile } from './replace-file.js';

describe('batch: files that appear whole', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-test-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('have their name once they are kept', () => {
    const path = join(folder, 'a.html');
    const temporary = writeTemporaryFile(folder, ['one ', Buffer.from('two')]);
    expect(readdirSync(folder)).to.have.length(1).and.not.include('a.html');
    keepFile(temporary, path);
    expect(readdirSync(folder)).to.deep.equal(['a.html']);
    expect(readFileSync(path, 'utf8')).to.equal('one two');
  });

  it('leave the old one, and nothing else, when they cannot be written', () => {
    const path = join(folder, 'a.html');
    replaceFile(path, ['old']);
    function* broken(): Generator<string> {
      yield 'new';
      throw new Error('no more');
    }
    expect(() => {
      replaceFile(path, broken());
    }).to.throw('no more');
    expect(() => {
      keepFile(join(folder, 'none'), path);
    }).to.throw(/ENOENT/);
    expect(readdirSync(folder)).to.deep.equal(['a.html']);
    expect(readFileSync(path, 'utf8')).to.equal('old');
  });

  it('wait for who holds the old one, and else say so of the file, not of the temporary one', () => {
    const path = join(folder, 'a.html');
    replaceFile(path, ['old']);
    for (const code of ['EPERM', 'EACCES', 'EBUSY']) {
      let attempts = 0;
      const held = (): void => {
        attempts++;
        throw Object.assign(new Error(`${code}: operation not permitted`), { code, path: 'the temporary one' });
      };
      const replace = (): void => {
        replaceFile(path, ['new'], { rename: held, delays: [1, 1, 1] });
      };
      expect(replace).to.throw(HistoryError, `${path} could not be replaced`).with.property('code', 'not-replaced');
      expect(attempts).to.equal(4);
      expect(readdirSync(folder)).to.deep.equal(['a.html']);
      expect(readFileSync(path, 'utf8')).to.equal('old');
    }
    let calls = 0;
    const later = (from: string, to: string): void => {
      if (++calls < 3) throw Object.assign(new Error('EBUSY'), { code: 'EBUSY' });
      renameSync(from, to);
    };
    replaceFile(path, ['new'], { rename: later, delays: [1, 1, 1] });
    expect(readFileSync(path, 'utf8')).to.equal('new');
  });

  it('say so of a file that is open on Windows', function () {
    if (process.platform !== 'win32') this.skip();
    const path = join(folder, 'a.html');
    replaceFile(path, ['old']);
    const letGo = holdFile(path);
    const replace = (): void => {
      replaceFile(path, ['new'], { delays: [1] });
    };
    try {
      expect(replace).to.throw(HistoryError, `${path} could not be replaced`).with.property('code', 'not-replaced');
    } finally {
      letGo();
    }
    expect(readdirSync(folder)).to.deep.equal(['a.html']);
    replace();
    expect(readFileSync(path, 'utf8')).to.equal('new');
  });

  it('name themselves in other errors too', () => {
    const path = join(folder, 'none', 'a.html');
    expect(() => {
      replaceFile(path, ['new']);
    })
      .to.throw(/ENOENT/)
      .with.property('path', path);
  });

  it('are cleared away when whoever wrote them is gone, and only then', () => {
    const { pid: gone } = spawnSync(process.execPath, ['--version']);
    const names = ['kept.html', `.dumpleak-batch-${process.ppid}-a.tmp`];
    for (const name of [...names, `.dumpleak-batch-${gone}-b.tmp`]) writeFileSync(join(folder, name), '');
    writeTemporaryFile(folder, ['my own']);
    removeTemporaryFiles(folder);
    expect(readdirSync(folder).sort()).to.deep.equal(names.sort());
    expect(() => {
      removeTemporaryFiles(join(folder, 'none'));
    }, 'it stops no batch').not.to.throw();
  });
});
