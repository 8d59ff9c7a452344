/**
 * Which test files run which places of which compiled file: from the engine's own coverage, one run a test file. It can be kept
 * in a file, and is then taken anew only for tests that changed since.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}
interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly Range[] }[];
}

/** One test file: how long it takes, and the ranges of each compiled file that it did not only load. */
export interface TestCoverage {
  readonly test: string;
  /** When it was measured, as times of files are: of files that changed since, the offsets are not known. */
  readonly at: number;
  readonly milliseconds: number;
  /** Path below the project -> functions, outermost range first, as the engine tells them. */
  readonly files: ReadonlyMap<string, readonly (readonly Range[])[]>;
}

/** What was kept in `file` of those of `tests` that did not change since they were measured. */
export function keptCoverage(project: string, file: string, tests: readonly string[]): TestCoverage[] {
  if (!existsSync(file)) return [];
  const kept = JSON.parse(readFileSync(file, 'utf8')) as [string, number, number, [string, Range[][]][]][];
  return kept
    .filter(([test, at]) => tests.includes(test) && statSync(join(project, test)).mtimeMs < at)
    .map(([test, at, milliseconds, files]) => ({ test, at, milliseconds, files: new Map(files) }));
}

/** Keeps coverage of the files that `wanted` is true for. */
export function keepCoverage(file: string, tests: readonly TestCoverage[], wanted: (path: string) => boolean): void {
  const rows = tests.map(({ test, at, milliseconds, files }) => [
    test,
    at,
    milliseconds,
    [...files].filter(([path]) => wanted(path)),
  ]);
  writeFileSync(file, JSON.stringify(rows));
}

/** Runs one test file (a path below `project`) and tells what it reaches; null where it fails or takes too long. */
export function coverageOf(project: string, test: string, milliseconds: number): TestCoverage | null {
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-coverage-'));
  const started = performance.now();
  const at = Date.now();
  try {
    const { status } = runTests(project, [test], milliseconds, { NODE_V8_COVERAGE: folder });
    if (status !== 0) return null;
    const files = new Map<string, (readonly Range[])[]>();
    for (const name of readdirSync(folder)) {
      const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { result: ScriptCoverage[] };
      for (const { url, functions } of result) {
        if (!url.startsWith('file:')) continue;
        const path = relative(project, fileURLToPath(url)).split(sep).join('/');
        if (path.startsWith('..') || path.includes('node_modules')) continue;
        const known = files.get(path) ?? [];
        files.set(path, [...known, ...functions.map(({ ranges }) => ranges)]);
      }
    }
    return { test, at, milliseconds: performance.now() - started, files };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** True when code at `offset` was run: the innermost range around it has a count. */
export function reaches(functions: readonly (readonly Range[])[], offset: number): boolean {
  let innermost: Range | null = null;
  let ran = false;
  for (const ranges of functions) {
    for (const range of ranges) {
      if (offset < range.startOffset || offset >= range.endOffset) continue;
      const size = range.endOffset - range.startOffset;
      const best = innermost === null ? Infinity : innermost.endOffset - innermost.startOffset;
      if (size > best) continue;
      // The same range comes once for each process: one that ran it is enough.
      ran = size === best ? ran || range.count > 0 : range.count > 0;
      innermost = range;
    }
  }
  return ran;
}

/** Runs test files in a process of their own; the first failure ends it. `status` is null where time ran out. */
export function runTests(
  project: string,
  tests: readonly string[],
  milliseconds: number,
  environment: NodeJS.ProcessEnv = {},
): { status: number | null } {
  const mocha = join(project, 'node_modules', 'mocha', 'bin', 'mocha.js');
  const seed = join(project, 'build', 'test-dumps', 'property-seed.js');
  const words = [mocha, '--no-config', '--bail', '--exit', '--timeout', '60000', '--require', seed, ...tests];
  const options = { cwd: project, timeout: Math.ceil(milliseconds), killSignal: 'SIGKILL', stdio: 'ignore' } as const;
  const { status } = spawnSync(process.execPath, words, { ...options, env: { ...process.env, ...environment } });
  return { status };
}
