/** The numbers that the leak rules turn on. docs/verdict.md justifies each; change both together. */

/** Bytes of a page on every machine that Windows dumps come from. */
export const PAGE_BYTES = 4096;

/** Pool usage against its limit, percent. */
export const POOL_HIGH_PERCENT = 40;
export const POOL_EXCESSIVE_PERCENT = 80;
/** Pool usage past its own maximum by more than this cannot be true, percent. */
export const POOL_IMPLAUSIBLE_PERCENT = 125;
/** 16 TB: the maximum of both pools since Windows 8.1, and less before. */
export const LARGEST_POOL_PAGES = 2 ** 32;

/** A tag's bytes against physical memory, percent: more than this is noticeable, and more than that is very much. */
export const TAG_OF_MEMORY_PERCENT = 5;
export const TAG_OF_MEMORY_HUGE_PERCENT = 10;
/** A tag of Windows itself: past this share of physical memory. */
export const WINDOWS_TAG_OF_MEMORY_PERCENT = 25;

/** In a pool near its limit, a tag with at least this share of the pool is looked at, percent. */
export const TAG_OF_POOL_PERCENT = 20;
/** At least this share of the pool, percent, and this many times the next tag: the tag dominates the pool. */
export const DOMINATES_PERCENT = 50;
export const DOMINATES_TIMES_NEXT = 2;

/** Many allocations outstanding of which almost none was ever freed. */
export const MANY_OUTSTANDING = 100_000;
export const FEW_FREES_PERCENT = 5;
/** ... and which are not negligible: of physical memory, percent; in bytes where that is unknown. */
export const MANY_OUTSTANDING_OF_MEMORY_PERCENT = 1;
export const MANY_OUTSTANDING_BYTES = 64 * 2 ** 20;

/** The part of a pool that no tag explains, either way, percent of the pool. */
export const UNEXPLAINED_PERCENT = 20;

/** Committed pages of the commit limit, percent. */
export const COMMIT_NEAR_LIMIT_PERCENT = 90;
/** Committed pages past the limit by more than this cannot be true, percent. */
export const COMMIT_IMPLAUSIBLE_PERCENT = 125;
/** Available pages of physical memory, percent. */
export const AVAILABLE_LOW_PERCENT = 5;
/** Memory in no pool that one part holds: worth a word from this share of physical memory on, and the verdict from that. */
export const NOT_POOL_PERCENT = 10;
export const NOT_POOL_MOST_PERCENT = 25;
/** Free system PTEs. */
export const PTES_LOW = 20_000;
export const PTES_EXHAUSTED = 8_000;

/** Module pages that were missing in the search, percent of all; past it no driver is named with high confidence. */
export const PAGES_MISSING_PERCENT = 20;
/** Modules of which no page could be translated, percent of all; likewise. */
export const NOT_TRANSLATABLE_PERCENT = 10;

/** Tags whose counts go together: both have more outstanding allocations than this, */
export const RELATED_MANY_OUTSTANDING = 1000;
/** and one has as many as the other, or up to so many times as many, within this, percent. */
export const RELATED_LARGEST_RATIO = 4;
export const RELATED_DEVIATION_PERCENT = 1;
/** Shown of a suspect. */
export const MAXIMUM_RELATED = 8;

/**
 * Tags are in lock step when their counts are this near to a whole ratio, percent, and the smaller is so large. Measured over
 * machines of 2000 tags (docs/verdict.md): one tag in a hundred that is large enough has a partner by chance.
 */
export const LOCK_STEP_NEAR: readonly { readonly outstanding: number; readonly percent: number }[] = [
  { outstanding: 1_000_000, percent: 0.3 },
  { outstanding: 300_000, percent: 0.1 },
  { outstanding: 100_000, percent: 0.03 },
];

/** Of tags in lock step, those whose owners are asked for besides, the largest counts. */
export const MAXIMUM_STEPPERS = 32;

/** Tags whose owners are looked for: a quarter of them the largest of each pool, the rest the largest of both together. */
export const OWNED_TAGS = 50;

/** Suspects in a result and evidence items of a driver: more are counted, not listed. */
export const MAXIMUM_SUSPECTS = 16;
export const MAXIMUM_EVIDENCE = 16;
/** Tags that get a flag of their own because their counters cannot be true. */
export const MAXIMUM_IMPLAUSIBLE_TAGS = 8;
/** Counters that contradict themselves are spoken of from this many bytes on: less is a moment's difference. */
export const CONTRADICTION_BYTES = 16 * 2 ** 20;

/**
 * Objects are judged by count too: they are small, and too many of them show long before their bytes do. Ended processes
 * and threads that are still there (a busy healthy machine has some dozens; also no fewer than are running), objects of
 * one type that one process has handles to (a busy one has some thousands), and objects that nobody has a handle to.
 */
export const MANY_ENDED_PROCESSES = 1000;
export const MANY_ENDED_THREADS = 5000;
export const MANY_HELD_BY_ONE = 40_000;
export const MANY_WITHOUT_HANDLE = 20_000;
/** So many times as many leave no doubt. */
export const VERY_MANY_TIMES = 10;
/** Of a tag that is suspicious by its bytes, a process with fewer objects than this is not behind it. */
export const FEW_HELD = 1000;
/** What a process holds of a type in ordinary use: it counts for nothing when one asks who holds what grew. */
export const USUALLY_HELD = 2000;
/** A process is accused when it holds at least this share of what grew, percent. */
export const ACCUSED_HOLDS_PERCENT = 80;
/** ... and at least this share of all objects of the type, percent: what many hold a little of grew with all of them. */
export const ACCUSED_OF_ALL_PERCENT = 50;
/** Counts that ought to be the same are taken to agree within this, percent. */
export const COUNTS_AGREE_PERCENT = 20;

/** Blocks that must have been looked at before what stands in them says anything of a driver. */
export const CONTENT_FEWEST_BLOCKS = 50;
/** Of these blocks, percent, that hold the same pointer into a driver at the same offset: medium, and low. */
export const CONTENT_MEDIUM_PERCENT = 80;
export const CONTENT_LOW_PERCENT = 50;
/** From this share on, a second driver in the blocks makes the first doubtful, percent. */
export const CONTENT_RIVAL_PERCENT = 20;

/** Of a tag's outstanding allocations, percent, that Driver Verifier tracks for one driver: high, and medium. */
export const VERIFIER_HIGH_PERCENT = 50;
export const VERIFIER_MEDIUM_PERCENT = 10;
