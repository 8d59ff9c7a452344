/**
 * Which tests run which lines of which compiled file. It can be kept in a file, and is then taken anew only for test files that
 * changed since.
 */

import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hasLine } from './lines.js';
import { WarmProcess } from './process.js';
import type { Measured } from './warm.js';

/** What the tests of one file reach. */
export interface FileCoverage {
  readonly file: string;
  /** When it was measured, as times of files are: of files that changed since, the lines are not known. */
  readonly at: number;
  /** The tests that passed, and one without a title for what loading runs. */
  readonly tests: readonly Measured[];
}

/** Test files that are measured in one process. */
const TOGETHER = 12;
/** A process of them may work this long, and one of a single file, in milliseconds. */
const LONGEST = 900_000;

/** What was kept in `kept` of test files that did not change since they were measured. */
export function keptCoverage(project: string, kept: string): FileCoverage[] {
  if (!existsSync(kept)) return [];
  const found = JSON.parse(readFileSync(kept, 'utf8')) as FileCoverage[];
  return found.filter(({ file, at }) => (statSync(join(project, file), { throwIfNoEntry: false })?.mtimeMs ?? at) < at);
}

/** Measures test files (paths below `project`), some in one process; each of a process that ended early again alone. */
export async function measure(
  project: string,
  files: readonly string[],
  done: (found: readonly FileCoverage[]) => void,
  leftOut: (file: string) => void,
): Promise<void> {
  for (let i = 0; i < files.length; i += TOGETHER) {
    const some = files.slice(i, i + TOGETHER);
    const together = await measured(project, some);
    if (together !== null) {
      done(together);
      continue;
    }
    for (const file of some) {
      const alone = await measured(project, [file]);
      if (alone === null) leftOut(file);
      done(alone ?? [{ file, at: Date.now(), tests: [] }]);
    }
  }
}

async function measured(project: string, files: readonly string[]): Promise<FileCoverage[] | null> {
  const at = Date.now();
  const warm = new WarmProcess(project);
  try {
    const loaded = await warm.ask({ do: 'load', files, change: 0, measure: true }, LONGEST);
    if (loaded?.told !== 'loaded' || loaded.failed.length > 0) return null;
    const answer = await warm.ask({ do: 'measure' }, LONGEST);
    if (answer?.told !== 'measured') return null;
    return files.map((file) => ({ file, at, tests: answer.tests.filter((test) => test.file === file) }));
  } finally {
    warm.end();
  }
}

/** Answers which tests reach a line, of coverage that was decoded once. */
export class Reach {
  readonly #byFile = new Map<string, { test: Measured; at: number; lines: Uint8Array }[]>();

  constructor(coverage: readonly FileCoverage[]) {
    for (const { at, tests } of coverage) {
      for (const test of tests) {
        for (const [path, lines] of test.lines) {
          const known = this.#byFile.get(path) ?? [];
          known.push({ test, at, lines: Buffer.from(lines, 'base64') });
          this.#byFile.set(path, known);
        }
      }
    }
  }

  /** Tests that run a line (counted from 0) of a file last changed at `changed`; any of the file where that was since measured. */
  of(path: string, line: number, changed: number): Measured[] {
    const rows = this.#byFile.get(path) ?? [];
    return rows.filter(({ at, lines }) => changed > at || hasLine(lines, line)).map(({ test }) => test);
  }

  /** Tests that run anything of a file. */
  ofFile(path: string): Measured[] {
    return (this.#byFile.get(path) ?? []).map(({ test }) => test);
  }
}
