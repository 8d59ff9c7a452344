import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(PROJECT, path), 'utf8');

describe('the package', function () {
  this.timeout(120_000);
  let files: Set<string>;

  before(() => {
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
    const json = execFileSync(npm, args, { cwd: PROJECT, encoding: 'utf8', shell: process.platform === 'win32' });
    const [packed] = JSON.parse(json) as [{ files: { path: string }[] }];
    files = new Set(packed.files.map(({ path }) => path));
  });

  it('holds what its exports name', () => {
    const { exports } = JSON.parse(read('package.json')) as {
      exports: Record<string, string | Record<string, string>>;
    };
    const named = Object.values(exports).flatMap((one) => (typeof one === 'string' ? [one] : Object.values(one)));
    expect(named.map((path) => path.slice(2)).filter((path) => !files.has(path))).to.deep.equal([]);
    expect(exports).to.include.keys('./result.schema.json', './trend.schema.json');
  });

  it('holds every file that its README and documents link to', () => {
    const documents = [...files].filter((path) => path.endsWith('.md'));
    const missing = documents.flatMap((from) =>
      [...read(from).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
        .map(([, link]) => link ?? '')
        .filter((link) => !/^\w+:/.test(link))
        .map((link) => normalize(join(dirname(from), link)).replaceAll('\\', '/'))
        .filter(
          (path) => !files.has(path) && ![...files].some((file) => file.startsWith(`${path.replace(/\/$/, '')}/`)),
        )
        .map((path) => `${from} -> ${path}`),
    );
    expect(missing).to.deep.equal([]);
  });

  it('holds code once: what the program and the library share is in the same files', () => {
    const code = [...files].filter((path) => /\.[cm]?js$/.test(path));
    expect(code.filter((path) => !path.startsWith('build/bin/'))).to.deep.equal([]);
    const { bin, exports } = JSON.parse(read('package.json')) as {
      bin: Record<string, string>;
      exports: { '.': { default: string } };
    };
    expect(code).to.include.members([bin['dumpleak'], exports['.'].default.slice(2), 'build/bin/batch-worker.mjs']);
    expect([...files].filter((path) => /\.test\.|\.map$/.test(path))).to.deep.equal([]);
  });

  it('is a library that runs: its own files and the packages that it names, no others', () => {
    const folder = mkdtempSync(join(tmpdir(), 'dumpleak-library-'));
    try {
      const modules = join(folder, 'node_modules');
      for (const file of files) {
        mkdirSync(dirname(join(modules, 'dumpleak', file)), { recursive: true });
        cpSync(join(PROJECT, file), join(modules, 'dumpleak', file));
      }
      const lock = JSON.parse(read('package-lock.json')) as {
        packages: Record<string, { dev?: boolean; peer?: boolean }>;
      };
      for (const [path, { dev, peer }] of Object.entries(lock.packages)) {
        // What stands inside of another package comes with it.
        const inside = path.lastIndexOf('node_modules/') > 0;
        if (path === '' || inside || dev === true || peer === true) continue;
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        symlinkSync(join(PROJECT, path), join(folder, path), 'junction');
      }
      writeFileSync(
        join(folder, 'use.mjs'),
        `import { analyze, openDump, runBatch } from 'dumpleak';
         import { createRequire } from 'node:module';
         const require = createRequire(import.meta.url);
         const dump = await openDump(process.argv[2]);
         const { verdict } = analyze(dump);
         dump.close();
         console.log(JSON.stringify([verdict.leakSuspected, typeof runBatch, typeof require('dumpleak/result.schema.json')]));`,
      );
      const sample = join(PROJECT, 'test-dumps/samples/notmyfault.dmp.gz');
      const said = execFileSync(process.execPath, ['use.mjs', sample], { cwd: folder, encoding: 'utf8' });
      expect(JSON.parse(said)).to.deep.equal([true, 'function', 'object']);
      const program = join(modules, 'dumpleak/build/bin/dumpleak.js');
      expect(execFileSync(process.execPath, [program, '--version'], { encoding: 'utf8' })).to.match(
        /^\d+\.\d+\.\d+\n$/,
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('has types that need no other package and none of Node', () => {
    const folder = mkdtempSync(join(tmpdir(), 'dumpleak-consumer-'));
    try {
      const installed = join(folder, 'node_modules/dumpleak');
      mkdirSync(installed, { recursive: true });
      cpSync(join(PROJECT, 'package.json'), join(installed, 'package.json'));
      for (const file of files) {
        if (!file.endsWith('.d.ts')) continue;
        mkdirSync(dirname(join(installed, file)), { recursive: true });
        cpSync(join(PROJECT, file), join(installed, file));
      }
      writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
      writeFileSync(
        join(folder, 'use.ts'),
        `import { analyze, openDump, readDifference, readTrend, renderTrend, runBatch } from 'dumpleak';
         const dump = await openDump('MEMORY.DMP');
         const headline: string = analyze(dump).verdict.headline;
         dump.close();
         const trend: string = renderTrend(await readTrend(['logs']));
         const { restarted } = await readDifference('a', 'b');
         export const all = [headline, trend, restarted, runBatch] as const;\n`,
      );
      const options = { module: 'nodenext', target: 'es2023', lib: ['es2023', 'dom'], strict: true, noEmit: true, skipLibCheck: false, types: [], typeRoots: [] }; // prettier-ignore
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['use.ts'] }));
      const compiler = join(PROJECT, 'node_modules/typescript/bin/tsc');
      expect(existsSync(compiler)).to.equal(true);
      let said = '';
      try {
        execFileSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8', stdio: 'pipe' });
      } catch (error) {
        said = (error as { stdout: string }).stdout;
      }
      expect(said).to.equal('');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
