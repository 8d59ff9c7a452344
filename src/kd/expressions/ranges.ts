/** Addresses and lengths after a command: `ADDRESS`, `ADDRESS L20`, `ADDRESS L?1000`, `ADDRESS L-8`, `ADDRESS END`. */

/** What stands where a length could stand. */
export interface LengthWord {
  /** Elements, not bytes; below zero for those before the address. Where the expression of it begins. */
  readonly from: number;
  readonly negative: boolean;
  /** `L?`: as many as are asked for. */
  readonly unlimited: boolean;
}

/** The `L` at `at`, blanks before it left out; null where none stands there. */
export function lengthAt(text: string, at: number): LengthWord | null {
  const found = /^\s*[lL](\?)?\s*(-)?\s*(?=[0-9a-fA-F`(@$]|poi\b|qwo\b|dwo\b|wo\b|by\b|\w+!)/.exec(text.slice(at));
  if (found === null) return null;
  return { from: at + found[0].length, negative: found[2] !== undefined, unlimited: found[1] !== undefined };
}
