import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const SCRIPT = 'tools/build-if-stale.mjs';

describe('compiling what make-dump needs', () => {
  let folder: string;
  const path = (name: string): string => join(folder, name);
  function put(name: string, text = ''): void {
    mkdirSync(dirname(path(name)), { recursive: true });
    writeFileSync(path(name), text);
    const before = new Date(Date.now() - 60_000);
    utimesSync(path(name), before, before);
  }
  /** A compiler that notes that it ran, and ends with a code. */
  const putCompiler = (code: number): void => {
    put('node_modules/typescript/bin/tsc', `require('fs').appendFileSync('ran', 'x');process.exit(${code});`);
  };
  /** How it ends, and how often the compiler has run by then. */
  const run = (): { status: number | null; ran: number } => {
    const { status } = spawnSync(process.execPath, [path(SCRIPT)], { cwd: folder });
    return { status, ran: existsSync(path('ran')) ? readFileSync(path('ran'), 'utf8').length : 0 };
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-stale-'));
    for (const one of ['src/deep/a.ts', 'parsers/a.ts', 'symbols/a.ts', 'test-dumps/a.ts', 'tools/a.ts']) put(one);
    put('tsconfig.json', '{}');
    put('package-lock.json', '{}');
    mkdirSync(path('build'));
    copyFileSync(join(PROJECT, SCRIPT), path(SCRIPT));
    putCompiler(0);
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('is done once, and again for each change of a source, the settings or the packages', () => {
    expect(run()).to.deep.equal({ status: 0, ran: 1 });
    expect(run()).to.deep.equal({ status: 0, ran: 1 });
    const changes = ['src/deep/a.ts', 'test-dumps/new.ts', 'tsconfig.json', 'package-lock.json'];
    for (const [i, name] of changes.entries()) {
      writeFileSync(path(name), '{}');
      // Later than the compiling, however coarse the clock of the file system is.
      const later = new Date(Date.now() + 1000);
      utimesSync(path(name), later, later);
      expect(run(), name).to.deep.equal({ status: 0, ran: i + 2 });
      const before = new Date(Date.now() - 60_000);
      utimesSync(path(name), before, before);
      expect(run(), `${name}, unchanged`).to.deep.equal({ status: 0, ran: i + 2 });
    }
  });

  it('is tried again after it failed, and ends as the compiler does', () => {
    putCompiler(2);
    expect(run()).to.deep.equal({ status: 2, ran: 1 });
    expect(run()).to.deep.equal({ status: 2, ran: 2 });
    putCompiler(0);
    expect(run()).to.deep.equal({ status: 0, ran: 3 });
  });

  it('goes before make-dump, in place of a whole build', () => {
    const { scripts } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    expect(scripts['premake-dump']).to.equal(`node ${SCRIPT}`);
  });
});
