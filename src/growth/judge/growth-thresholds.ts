/** Every number that growth is judged by. docs/trend.md gives the reason of each. */

/** The length of the cycle that load is expected to have, in hours: a day. */
export const CYCLE_HOURS = 24;
/** Cycles that a series must cover before rising can be told from load, less a little for clocks that are late. */
export const CYCLES_NEEDED = 2;
export const CYCLE_SLACK = 0.01;
/** Samples a cycle, at least, for the cycle to be seen and taken out. */
export const SAMPLES_PER_CYCLE = 4;
/** Parts of a cycle whose levels are told apart, at most. */
export const PHASES = 24;

/** Fewer samples are judged only where they never fall. */
export const LEAST_SAMPLES = 8;
/** Fewer samples are not judged. */
export const LEAST_RISING_SAMPLES = 6;
/** Steps that must rise in a series that never falls. */
export const LEAST_RISES = 4;
/** Share of the whole rise that one step of it may make up: above, it is a step. */
export const LARGEST_STEP_SHARE = 0.6;

/** What moves less is flat: bytes, objects, and the share of its level. */
export const FLAT_BYTES = 64 * 1024;
export const FLAT_COUNT = 100;
export const FLAT_SHARE = 0.01;

/**
 * The slope by its standard error, at least. Over few cycles (`LONE_JUMP.cycles`) a busy day after a quiet one looks like
 * growth, so more is asked.
 */
export const LEAST_SIGNIFICANCE = { few: 5, many: 4 } as const;
/** Standard errors on either side of the slope that make the interval (95 %, see docs/trend.md). */
export const INTERVAL_ERRORS = 2.5;
/** Mann-Kendall's tau without the daily cycle, at least. */
export const LEAST_TAU = 0.5;
/** Rise of the low values by the rise of the slope: a leak raises the floor as fast as the rest. */
export const FLOOR_RISE = [0.4, 2] as const;
/** What the floor may fall back on the way, by its own rise. */
export const LARGEST_FALL_BACK = 0.4;
/** What counts as the floor of a cycle: the value below which this share lies. */
export const FLOOR_QUANTILE = 0.1;
/** Growth in the last quarter by the mean growth of a quarter: below, it has levelled off. */
export const LAST_QUARTER = 0.2;
/** Share of all variation that a single step must explain to be one. */
export const STEP_EXPLAINS = 0.7;
/** Growth before and after a step, by its height, at most: above, it grows besides. */
export const STEP_GROWTH = 0.5;
/** What a step must explain of the values with their daily cycle, and how much better than a line it must fit. */
export const PLAIN_STEP = { explains: 0.85, ratio: 0.5 } as const;
/**
 * A jump that no other cycle has: by the growth in a cycle, and by what jumps usually measure, at least; looked for in
 * series of fewer cycles than this.
 */
export const LONE_JUMP = { shareOfCycle: 0.7, usual: 2, cycles: 4, samplesPerCycle: 16 } as const;
/** The rise by the range of all values, at least: growth that is lost in the load is not called a leak. */
export const LEAST_SHARE_OF_RANGE = 0.2;
/** Growth that begins late: how much better than a line it must fit, and its rise by the range of all values, at least. */
export const LATE_GROWTH = { ratio: 0.5, shareOfRange: 0.3 } as const;
/** Residuals are cut at this many (robust) standard deviations before their memory is estimated. */
export const RESIDUAL_LIMIT = 4;

/**
 * A leak that would take years to matter is called slow growth: it adds fewer bytes than this in a year, and meets no
 * limit that is known within so many years, both at the fast end of its slope's interval.
 */
export const SLOW_GROWTH = { bytesInYear: 64 * 2 ** 20, years: 3 } as const;

/** PAL (Performance Analysis of Logs), shown beside the judgement and never used for it. */
export const PAL = {
  /** Share of the pool's maximum. */
  poolWarning: 0.6,
  poolCritical: 0.8,
  /** Handles an hour. */
  handleTrend: 100,
  nonPagedShareOfMemory: 0.1,
  pagedBytes: 2 ** 30,
  freeSystemPtes: [20_000, 8000],
} as const;
