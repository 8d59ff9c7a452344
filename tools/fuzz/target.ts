/** What the fuzzer feeds: one kind of input, where good ones come from, and the code that takes it. */

/** One kind of input. */
export interface FuzzTarget {
  /** As `--target` takes it: `dump-x64-full`, `pdb`. */
  readonly name: string;
  /** Good inputs, that hostile ones are made from. The same every time. */
  readonly seeds: readonly (() => Uint8Array)[];
  /** Targets with the same good inputs name them alike: they are built and kept once. */
  readonly keptAs?: string;
  /** In place of SLOWEST and LARGEST, where a part that the input does not reach takes more alone. */
  readonly limits?: { readonly ms: number; readonly bytes: number };
  /** How many of the inputs it gets, beside 1 of most targets: less where there are many of a kind, and each takes long. */
  readonly share?: number;
  /** Bytes from the start that decide most, and get half of the changes; by default 0x2100. */
  readonly hot?: number;
  /** Pieces of text that mean something in this kind of input, to put in anywhere. */
  readonly words?: readonly string[];
  /** Makes checksums right after the changes, so that they do not hide the reader from them. May change its input. */
  readonly seal?: (input: Uint8Array) => Uint8Array;
  /**
   * Takes an input as the product does. Returns when it was read or properly refused; anything thrown is a failure.
   * `folder` is empty, and its own.
   */
  readonly feed: (input: Uint8Array, folder: string) => void | Promise<void>;
}

/** Most processor time that one input may take, in milliseconds: a busy machine must not look like a hang. */
export const SLOWEST = 2000;
/** Resident memory that one input may take over what the process has before, in bytes. */
export const LARGEST = 300 * 2 ** 20;
