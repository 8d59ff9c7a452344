/** What contradicts a module, and how far that goes. */

/**
 * A contradiction among what the dump says of one module. `settled`: other witnesses agree on what is used instead.
 * Not settled: which of them is right is not known, so nothing may be concluded from the module's name or place.
 */
export interface ModuleDoubt {
  readonly settled: boolean;
  /** `SizeOfImage is 0x8000000 in the list and 0x9000 in the image header`. */
  readonly message: string;
}

/**
 * The most that a module may be accused with: high needs that all that was read of it agrees, and what nothing decides
 * names nobody. Null where nothing is doubted.
 */
export function accusationLimit(doubts: readonly ModuleDoubt[]): 'low' | 'medium' | null {
  if (doubts.length === 0) return null;
  return doubts.every((doubt) => doubt.settled) ? 'medium' : 'low';
}

/** A contradiction that others decide. */
export const settled = (message: string): ModuleDoubt => ({ settled: true, message });
/** A contradiction that nothing decides. */
export const open = (message: string): ModuleDoubt => ({ settled: false, message });
