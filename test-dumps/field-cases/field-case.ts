/** What a published field case is here: what was published, the machine that it is made into, and what is right to say. */

import type { Scenario } from '../scenario.js';

/**
 * The kind of answer that the published conclusion is. `ended processes`: they are kept. `handles`: a process keeps
 * objects. `references`: the kernel or a driver keeps them, or nobody knows who. `driver`: the driver of the tag.
 * `lock step`: tags that grow together. `shared tag`: nobody can be named from it. `tag of Windows`: whoever makes Windows
 * allocate. `not pool`: memory is elsewhere. `impossible`: the figures are. `no leak`: large by design or by load.
 */
export type AnswerKind =
  | 'ended processes'
  | 'handles'
  | 'references'
  | 'driver'
  | 'lock step'
  | 'shared tag'
  | 'tag of Windows'
  | 'not pool'
  | 'impossible'
  | 'no leak';

/** What a careful engineer says of the machine. */
export interface RightAnswer {
  /** One of these is right in its kind. */
  readonly kinds: readonly AnswerKind[];
  /** Tags of which one must be the first suspect; empty where none is to be accused. */
  readonly tags: readonly string[];
  /** File name of the driver, or program of the process, that may be accused; null where nobody may. */
  readonly culprit: string | null;
  /** Of `not pool`: what must be named. */
  readonly where?: RegExp;
}

/** One published case. */
export interface FieldCase {
  /** Its number in the published list. */
  readonly number: number;
  /** Figures as published. */
  readonly published: string;
  readonly concluded: string;
  readonly source: string;
  /**
   * What of the machine was not published and had to be chosen: names, sizes, builds. Counts of objects are those that
   * were published, or so many times smaller as `smaller` says, and memory with them.
   */
  readonly chosen: string;
  readonly smaller?: number;
  readonly answer: RightAnswer;
  scenario(): Scenario;
}
