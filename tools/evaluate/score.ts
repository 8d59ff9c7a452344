/** How often the evidence is right about generated drivers: every tag that a driver is about, and every other one. */

import { failed } from '../../parsers/bytes/failure.js';
import { allocationsIn, type CodeOptions } from '../../src/code/calls/allocations.js';
import { driverFromFile } from '../../src/kernel/modules/driver-file.js';
import type { LoadedModule } from '../../src/kernel/modules/modules.js';
import { judgeImage } from '../../src/leak/code/judge-image.js';
import type { Confidence } from '../../src/result/result.js';
import type { GeneratedDriver } from '../../test-dumps/drivers/source.js';

/** What was said of one tag of one driver. */
export interface Answer {
  driver: GeneratedDriver;
  tag: string;
  /**
   * Of a tag that the driver allocates under: `named`, or `silent` where it is said with low confidence or not at all. Of any
   * other tag: `silent`, or `wrong`.
   */
  outcome: 'named' | 'silent' | 'wrong';
  strength: Confidence | null;
  /** The best evidence, for people. */
  note: string;
  /** `allocationsIn` lists the tag. */
  listed: boolean;
}

const keyOf = (tag: string): number => Buffer.from(tag, 'latin1').readUInt32LE() & 0x7fffffff;
const ORDER: readonly Confidence[] = ['low', 'medium', 'high'];

/** Judges one driver for the tags that it is about, for its own other tags, and for `foreign` tags, which it has nothing of. */
export function judgeDriver(
  driver: GeneratedDriver,
  module: LoadedModule,
  foreign: readonly string[],
  options: CodeOptions = {},
): Answer[] {
  const tags = [...new Set([driver.tag, ...driver.allocatedTags, ...driver.decoyTags, ...foreign])];
  const { traces } = judgeImage(module, tags.map(keyOf), options);
  const { allocations } = allocationsIn(module, options);
  const listed = new Set(
    allocations.filter(({ kind }) => kind === 'allocate' || kind === 'lookaside').map(({ key }) => key),
  );
  const answers = tags.map((tag): Answer => {
    const list = traces.get(keyOf(tag)) ?? [];
    const best = list.reduce<Confidence | null>(
      (most, { strength }) => (most === null || ORDER.indexOf(strength) > ORDER.indexOf(most) ? strength : most),
      null,
    );
    const accused = best !== null && best !== 'low';
    const allocates = driver.allocatedTags.includes(tag);
    const isListed = listed.delete(keyOf(tag));
    const wrong = (accused || isListed) && !allocates;
    const note = list.find(({ strength }) => strength === best)?.evidence.note ?? '';
    const outcome = wrong ? 'wrong' : allocates && accused ? 'named' : 'silent';
    return { driver, tag, outcome, strength: best, note, listed: isListed };
  });
  // Whatever else is listed is no tag of this driver at all.
  for (const key of listed) {
    const tag = `0x${key.toString(16)}`;
    answers.push({ driver, tag, outcome: 'wrong', strength: null, note: 'listed', listed: true });
  }
  return answers;
}

/** The same for the driver's file. */
export function judgeFile(driver: GeneratedDriver, file: Uint8Array, foreign: readonly string[]): Answer[] {
  const read = driverFromFile(file, `${driver.name}.sys`);
  if (failed(read)) throw new Error(`${driver.name}: ${read.message}`);
  return judgeDriver(driver, read.module, foreign);
}

/** Definite pairs of a driver and a tag that it allocates under, and how many of them `allocationsIn` lists. */
export function listedPairs(answers: readonly Answer[]): { pairs: number; listed: number } {
  const definite = answers.filter(({ driver, tag }) => driver.definiteTags.includes(tag));
  return { pairs: definite.length, listed: definite.filter((answer) => answer.listed).length };
}

/** The answers about the tags that drivers are about, and those that are wrong, whatever they are about. */
export interface Score {
  named: number;
  silent: number;
  wrong: number;
  /** Of `named`, by `allocationsIn` too. */
  listed: number;
}

export function scoreOf(answers: readonly Answer[]): Score {
  const score = { named: 0, silent: 0, wrong: 0, listed: 0 };
  for (const { driver, tag, outcome, listed } of answers) {
    if (outcome === 'wrong') score.wrong++;
    else if (tag === driver.tag) {
      score[outcome]++;
      if (listed) score.listed++;
    }
  }
  return score;
}
