/** Makes a failing input small: first by leaving changes out, then by leaving bytes out. */

/** Most tries for the bytes, and most milliseconds: the smaller input is a convenience, the failing one is known already. */
const MOST_TRIES = 200;
const LONGEST = 60_000;

/** Those of `count` changes that are needed to fail, as far as `longest` milliseconds tell. */
export async function neededChanges(
  count: number,
  fails: (keep: readonly number[]) => Promise<boolean>,
  longest = LONGEST,
): Promise<readonly number[]> {
  let keep: readonly number[] = Array.from({ length: count }, (_, i) => i);
  const until = performance.now() + longest;
  for (let i = count - 1; i >= 0 && performance.now() < until; i--) {
    const fewer = keep.filter((each) => each !== i);
    if (fewer.length < keep.length && (await fails(fewer))) keep = fewer;
  }
  return keep;
}

/** Leaves out pieces of the input, halves first, as long as what is left still fails. */
export async function fewestBytes(
  input: Uint8Array,
  fails: (input: Uint8Array) => Promise<boolean>,
  longest = LONGEST,
): Promise<Uint8Array> {
  let small = input;
  let tries = 0;
  const until = performance.now() + longest;
  for (let piece = Math.ceil(small.length / 2); piece >= 1; piece = piece === 1 ? 0 : Math.ceil(piece / 2)) {
    for (let end = small.length; end > 0 && tries < MOST_TRIES && performance.now() < until; end -= piece) {
      const start = Math.max(0, end - piece);
      const less = Buffer.concat([small.subarray(0, start), small.subarray(end)]);
      tries++;
      if (await fails(less)) small = less;
    }
  }
  return small;
}
