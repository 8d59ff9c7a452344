/** The words after `lm`, glued to it or not: `lm a ADDRESS`, `lmvm nt*`, `lm k t n`, `lm1m`. */

import { noAddress, typedAddress } from './words.js';

/** What `lm` is asked to show. */
export interface LmOptions {
  /** Modules that hold this virtual address. */
  readonly at?: bigint | undefined;
  /** A pattern of names. */
  readonly name?: string | undefined;
  /** A pattern of paths. */
  readonly path?: string | undefined;
  /** `k` or `u`: the kernel's or the user's modules alone. */
  readonly only?: 'kernel' | 'user' | undefined;
  /** Without unloaded ones. */
  readonly loaded?: boolean | undefined;
  /** Only those whose symbols were read. */
  readonly withSymbols?: boolean | undefined;
  /** The whole block of each. */
  readonly verbose?: boolean | undefined;
  /** Time stamps, file names, paths beside each, instead of the state of symbols. */
  readonly times?: boolean | undefined;
  readonly images?: boolean | undefined;
  readonly paths?: boolean | undefined;
  readonly byName?: boolean | undefined;
  /** Names alone. */
  readonly namesOnly?: boolean | undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Letters that stand for themselves. */
const LETTERS: Readonly<Record<string, (options: Mutable<LmOptions>) => void>> = {
  k: (options) => (options.only = 'kernel'),
  u: (options) => (options.only = 'user'),
  o: (options) => (options.loaded = true),
  l: (options) => (options.withSymbols = true),
  v: (options) => (options.verbose = true),
  t: (options) => (options.times = true),
  n: (options) => (options.images = true),
  f: (options) => (options.paths = true),
  // Markup of the debugger's own window.
  D: () => undefined,
};

/** Reads them; a pattern may stand in quotes. */
export function parseLm(words: readonly string[]): LmOptions | { error: string } {
  const options: Mutable<LmOptions> = {};
  for (let i = 0; i < words.length; i++) {
    for (let rest = words[i] ?? ''; rest !== '';) {
      const double = /^(?:sm|1m)/.exec(rest)?.[0];
      if (double !== undefined) {
        if (double === 'sm') options.byName = true;
        else options.namesOnly = true;
        rest = rest.slice(2);
        continue;
      }
      const letter = rest[0] ?? '';
      rest = rest.slice(1);
      if (letter === 'a' || letter === 'm' || letter === 'M') {
        const word = rest === '' ? words[++i] : undefined;
        const error = takeWord(options, letter, word);
        if (error !== null) return { error };
        rest = '';
        continue;
      }
      const set = LETTERS[letter];
      if (set === undefined) return { error: `lm ${words[i] ?? letter} is not here: lm has a ADDRESS, m and M PATTERN, k u o l v t n f sm 1m` }; // prettier-ignore
      set(options);
    }
  }
  return options;
}

function takeWord(options: Mutable<LmOptions>, letter: 'a' | 'm' | 'M', word: string | undefined): string | null {
  if (word === undefined) return letter === 'a' ? 'lm a wants an address' : `lm ${letter} wants a pattern`;
  if (letter === 'm') options.name = word.replace(/^"(.*)"$/, '$1');
  else if (letter === 'M') options.path = word.replace(/^"(.*)"$/, '$1');
  else {
    const address = typedAddress(word);
    if (address === null) return noAddress(word);
    options.at = address;
  }
  return null;
}
