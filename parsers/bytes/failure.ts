/** Why a read did not give bytes. A failed read is a value, never an exception and never zeros. */

/**
 * - `not-mapped`: a page-table entry on the way is not valid and holds nothing that could be resolved.
 * - `paged-out`: the page is in a page file (or is demand-zero or file-backed), so no dump holds it.
 * - `not-in-dump`: the physical page exists on the machine, but this dump does not store it.
 * - `short-file`: the file ends before the bytes that its own header promises.
 * - `corrupt`: bytes were read and cannot be what they should be.
 * - `bad-address`: the address itself cannot exist (not canonical, or null).
 * - `unknown`: nothing tells where to read: no symbols know the variable, or the layout of the structure.
 */
export type FailureReason =
  | 'not-mapped' | 'paged-out' | 'not-in-dump' | 'short-file' | 'corrupt' | 'bad-address' | 'unknown'; // prettier-ignore

/** A read that failed, with the reason in a machine-readable and a human-readable form. */
export class ReadFailure {
  constructor(
    readonly reason: FailureReason,
    /** One sentence with the numbers: what was wanted, where, and what stood in the way. */
    readonly message: string,
  ) {}
}

/** True when a read gave a failure instead of its value. */
export function failed(value: unknown): value is ReadFailure {
  return value instanceof ReadFailure;
}

/** Lower-case hexadecimal with `0x`, for messages and results. */
export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
