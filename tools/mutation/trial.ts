/** Tries changes: in a warm process that has all of them, the quickest tests first, and what passes there in a new process. */

import { dirname } from 'node:path';
import { WarmProcess } from './process.js';
import type { Measured } from './warm.js';

/** One change: its number, the file that it is in, the tests that reach it, and those that reach anything of the file. */
interface Change {
  readonly id: number;
  readonly file: string;
  readonly atLoad: boolean;
  readonly reaching: readonly Measured[];
  readonly ofFile: readonly Measured[];
}

interface Outcome {
  readonly killed: boolean;
  /** In words, which tests did or did not notice. */
  readonly why: string;
}

/** Tests may take this many times their usual time, and this much more, in milliseconds of processor time. */
const PATIENCE = { times: 6, more: 4_000 };
/** Loading test files may take this long. */
const LOADING = 600_000;
/** Tests of one wave take up to this many milliseconds together, wave after wave; the last has all others. */
const WAVES = [300, 3_000, 20_000, Infinity];
/** In the new process test files are taken until their tests take this long together. */
const AGAIN = 15_000;
/** So often a change is tried again after a test that failed without it too. */
const ATTEMPTS = 3;

export class Trial {
  readonly #project: string;
  readonly #changes: ReadonlyMap<number, Change>;
  readonly #usual: ReadonlyMap<string, number>;
  readonly #distrusted = new Set<string>();
  readonly #inWarm = new Set<string>();
  #warm: WarmProcess | null = null;

  /** `usual` has how long each test file takes, in milliseconds. */
  constructor(project: string, changes: readonly Change[], usual: ReadonlyMap<string, number>) {
    this.#project = project;
    this.#usual = usual;
    this.#changes = new Map(changes.map((change) => [change.id, change]));
  }

  async of(id: number): Promise<Outcome> {
    const change = this.#changes.get(id);
    if (change === undefined || change.ofFile.length === 0) return { killed: false, why: 'no test reaches its file' };
    if (!change.atLoad) {
      const noticed = await this.#warmly(change);
      if (noticed !== null) return { killed: true, why: noticed };
    }
    const noticed = await this.#anew(change);
    if (noticed !== null) return { killed: true, why: noticed };
    const { length } = change.reaching;
    return { killed: false, why: length === 0 ? 'no test reaches it' : `${length} tests do not notice` };
  }

  end(): void {
    this.#warm?.end();
  }

  async #warmly(change: Change): Promise<string | null> {
    const near = (test: Measured): boolean => dirname(test.file) === dirname(change.file);
    const usable = change.reaching
      .filter(({ title }) => title !== null)
      .sort((a, b) => a.milliseconds - b.milliseconds);
    const sorted = [...usable.filter((test) => near(test) && test.milliseconds < 1000), ...usable];
    const tried = new Set<string>();
    for (const most of WAVES) {
      const wave: Measured[] = [];
      let time = 0;
      for (const test of sorted) {
        if (test.title === null || tried.has(test.title) || this.#distrusted.has(test.title)) continue;
        if (wave.length > 0 && time + test.milliseconds > most) continue;
        time += test.milliseconds;
        wave.push(test);
        tried.add(test.title);
      }
      if (wave.length === 0) continue;
      const noticed = await this.#wave(change, wave, time);
      if (noticed !== null) return noticed;
    }
    return null;
  }

  async #wave(change: Change, wave: readonly Measured[], time: number): Promise<string | null> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const titles = wave.flatMap(({ title }) => (title === null || this.#distrusted.has(title) ? [] : [title]));
      const warm = await this.#loaded(new Set(wave.map(({ file }) => file)));
      const answer = await warm.ask({ do: 'try', change: change.id, titles }, time * PATIENCE.times + PATIENCE.more);
      if (answer?.told !== 'tried') return 'works without end, or ends the process';
      if (answer.failed === null) return null;
      if (!answer.alsoWithout) return answer.failed;
      // What an earlier change left behind, or a test that needs others before it: a new process, without that test.
      this.#distrusted.add(answer.failed);
      warm.end();
      this.#warm = null;
    }
    return null;
  }

  /** The warm process, with these test files loaded, and those that were before. */
  async #loaded(files: ReadonlySet<string>): Promise<WarmProcess> {
    if (this.#warm === null || this.#warm.ended) {
      this.#warm = new WarmProcess(this.#project);
      this.#inWarm.clear();
    }
    const missing = [...files].filter((file) => !this.#inWarm.has(file));
    for (const file of missing) this.#inWarm.add(file);
    if (missing.length > 0) await this.#warm.ask({ do: 'load', files: missing, change: 0, measure: false }, LOADING);
    return this.#warm;
  }

  /** Whole test files, with the change on from the start: what they keep between tests, they made with it. */
  async #anew(change: Change): Promise<string | null> {
    const candidates = change.reaching.length > 0 ? change.reaching : change.ofFile;
    const seen = new Map(candidates.map(({ file }) => [file, this.#usual.get(file) ?? 0]));
    const near = (file: string): number => (dirname(file) === dirname(change.file) ? 0 : 1);
    const files = [...seen].sort(([a, x], [b, y]) => near(a) - near(b) || x - y);
    let time = 0;
    const chosen = files.filter(([, own], i) => {
      if (i > 0 && time + own > AGAIN) return false;
      time += own;
      return true;
    });
    const names = chosen.map(([file]) => file);
    const failed = await this.#runAnew(change.id, names, time);
    return failed === null || (await this.#runAnew(0, names, time)) !== null ? null : failed;
  }

  /** What fails first of test files in a process of their own; null where all pass. */
  async #runAnew(change: number, files: readonly string[], time: number): Promise<string | null> {
    const limit = time * PATIENCE.times + PATIENCE.more;
    const warm = new WarmProcess(this.#project);
    try {
      const loaded = await warm.ask({ do: 'load', files, change, measure: false }, limit + PATIENCE.more);
      if (loaded?.told !== 'loaded' || loaded.failed.length > 0) return 'its tests do not load';
      const answer = await warm.ask({ do: 'try', change, titles: null }, limit);
      return answer?.told === 'tried' ? answer.failed : 'works without end, or ends the process';
    } finally {
      warm.end();
    }
  }
}
