import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../../tools/lint/import-graph.mjs', import.meta.url));

describe('the lint of imports', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-imports-'));
    const rooms = ['parsers/bytes', 'src/leak', 'src/report', 'src/kernel/open', 'src/kernel/pool'];
    const table = rooms.map((room) => `| \`${room}\` | x |\n`).join('');
    put('docs/architecture.md', `${table}| \`src/kernel\` | x |\n\n\`\`\`mermaid\n\`\`\`\n`);
    for (const room of rooms) put(`${room}/file.ts`, '');
    put('symbols/file.ts', '');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  function put(path: string, text: string): void {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  /** What it says once the drawing is true. */
  function problems(): string {
    spawnSync(process.execPath, [SCRIPT, '--draw'], { cwd: folder });
    const { stderr, status } = spawnSync(process.execPath, [SCRIPT], { cwd: folder, encoding: 'utf8' });
    expect(status).to.equal(stderr === '' ? 0 : 1);
    return stderr;
  }

  it('lets imports go down, and draws them', () => {
    put('src/report/file.ts', "import { a } from '../leak/file.js';\n");
    put('src/kernel/pool/file.ts', "import type { a } from '../open/file.js';\n");
    expect(problems()).to.equal('');
    const drawing = readFileSync(join(folder, 'docs/architecture.md'), 'utf8');
    expect(drawing).to.include('report --> leak').and.include('kernel_pool --> kernel_open');
  });

  it('refuses imports up, dynamic ones and those inside the kernel too', () => {
    put('src/leak/file.ts', "await import('../report/file.js');\n");
    put('src/kernel/open/file.ts', "import type { a } from '../pool/file.js';\n");
    put('symbols/file.ts', "export { a } from '../src/leak/other.js';\n");
    put('src/leak/other.ts', '');
    expect(problems().trim().split('\n').sort()).to.deep.equal([
      'src/kernel/open/file.ts imports src/kernel/pool/file.ts: src/kernel/pool stands above src/kernel/open',
      'src/leak/file.ts imports src/report/file.ts: src/report stands above src/leak',
      'symbols/file.ts imports src/leak/other.ts: src/leak stands above symbols',
    ]);
  });

  it('refuses two files that import each other, but in tests', () => {
    put('src/leak/a.ts', "import type { b } from './b.js';\n");
    put('src/leak/b.ts', "import { a } from './a.js';\n");
    put('src/leak/c.test.ts', "import '../report/file.js';\n");
    expect(problems()).to.equal('src/leak/a.ts and src/leak/b.ts import each other\n');
  });

  it('refuses a folder that the table has not, and an old drawing', () => {
    put('parsers/new/file.ts', '');
    expect(problems()).to.equal('docs/architecture.md: the table of rooms has no parsers/new\n');
    put('parsers/new/file.ts', '');
    put('src/report/file.ts', "import { a } from '../leak/file.js';\n");
    const { stderr } = spawnSync(process.execPath, [SCRIPT], { cwd: folder, encoding: 'utf8' });
    expect(stderr).to.include('the drawing is old');
  });
});
