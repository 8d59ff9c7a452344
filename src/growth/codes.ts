/** The codes of a trend and of a comparison: of what a reader must know of the inputs, and of why a series was judged so. */

import type { InputCode } from '../../parsers/bytes/failure.js';
import type { Note } from '../result/result.js';

type TrendWarningCode =
  /** A file that cannot be read. */
  | InputCode
  /** Inputs and their files. */
  | 'not-recognised'
  | 'results-unreadable'
  | 'rows-unreadable'
  | 'values-unreadable'
  | 'counter-names'
  | 'session-pool'
  | 'too-much'
  | 'too-many-rows'
  | 'too-many-series'
  | 'links-not-followed'
  | 'files-passed-over'
  /** Times. */
  | 'no-times'
  | 'file-times'
  | 'stamps-missing'
  | 'time-zone'
  | 'clock-set-back'
  | 'wrong-order'
  /** Machines. */
  | 'several-machines'
  | 'redacted';

/** What a reader must know of the inputs. */
export type TrendWarning = Note<TrendWarningCode>;

/** Why a stretch of a series was judged so. */
type JudgeCode =
  | 'too-few-samples'
  | 'one-time'
  | 'no-times'
  | 'short'
  | 'constant'
  | 'small'
  | 'never-falls'
  | 'grows-on'
  | 'floor-rises'
  | 'began-late'
  | 'one-step'
  | 'one-jump'
  | LoadCode;

/** Why it is load. */
export type LoadCode =
  | 'returns'
  | 'falls'
  | 'within-noise'
  | 'not-steady'
  | 'floor-returns'
  | 'uneven'
  | 'falls-back'
  | 'small-beside-load'
  | 'levels-off';

/** Why a whole series was. */
type SeriesCode =
  | JudgeCode
  | 'restarts'
  | 'grows-again'
  | 'not-since-restart'
  | 'never-freed'
  | 'more-outstanding'
  | 'no-amount'
  | 'grows-slowly';

export type JudgeReason = Note<JudgeCode>;
export type SeriesReason = Note<SeriesCode>;

/** What PAL would say. */
export type PalNote = Note<
  'pal-handle-trend' | 'pal-pool-maximum' | 'pal-nonpaged-memory' | 'pal-paged-size' | 'pal-free-ptes'
>;
