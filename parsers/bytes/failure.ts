/**
 * Why something was not read: one dialect for memory, files and servers. A read that failed is a value, never an exception and
 * never zeros; what nobody on the way could go on without is thrown (`Thrown`), with a code of the same union.
 */

/** A read of a dump's memory. */
export type MemoryCode =
  /** A page-table entry on the way is not valid and holds nothing that could be resolved. */
  | 'not-mapped'
  /** The page is in a page file (or is demand-zero or file-backed), so no dump holds it. */
  | 'paged-out'
  /** The physical page exists on the machine, but this dump does not store it. */
  | 'not-in-dump'
  /** The address itself cannot exist (not canonical, or null). */
  | 'bad-address';

/** Bytes of a format. */
export type FormatCode =
  /** The bytes are something else. */
  | 'other-format'
  /** Sound, as far as one can see, but of a kind that is not read here. */
  | 'not-supported'
  /** The file ends before the bytes that its own header promises. */
  | 'short-file'
  /** Bytes were read and cannot be what they should be. */
  | 'corrupt'
  /** More bytes than are allowed. */
  | 'too-large';

/** A file that is to be analyzed. */
export type InputCode =
  | 'not-found'
  | 'access-denied'
  | 'in-use'
  | 'is-folder'
  | 'empty'
  | 'all-zero'
  | 'text-file'
  | 'not-a-dump'
  | 'header-only'
  | 'wrong-kind'
  | 'encrypted'
  | 'several-dumps'
  /** The system says so: the message has its words. */
  | 'io'
  | Extract<FormatCode, 'not-supported' | 'corrupt' | 'too-large'>;

/** A request to a server. */
export type ServerCode =
  /** No connection: name not found, refused, not reachable, no answer in time. */
  | 'connect'
  /** The server's certificate is not trusted. */
  | 'certificate'
  /** The proxy refused. */
  | 'proxy'
  /** The server or the proxy wants a user and a password. */
  | 'credentials'
  /** The connection stood and nothing came, or all took too long. */
  | 'timeout'
  /** The connection broke while the answer came. */
  | 'broken'
  /** The server asks to come back later (5xx, 429). */
  | 'busy'
  /** Any other answer that is not the file. */
  | 'refused'
  /** A redirect that is not followed. */
  | 'redirect'
  /** The file cannot be written on this side. */
  | 'local'
  /** The caller ended it. */
  | 'cancelled'
  | Extract<FormatCode, 'too-large'>;

/** The history of a batch: a folder that several programs may write. */
export type HistoryCode =
  /** Another process writes it. */
  | 'locked'
  /** A file of it stays as it was: another program has it open. */
  | 'not-replaced'
  /** It was begun with names, or redacted under another key. */
  | 'other-key'
  /** The database refuses a question. */
  | 'bad-question'
  /** The address of a server says nothing that can be used. */
  | 'store-address'
  /** The server of a shared history does not answer, or not any more. */
  | 'unreachable'
  /** It does not let this user in, does not allow it, or cannot prove who it is. */
  | 'refused'
  | Extract<FormatCode, 'other-format' | 'not-supported'>;

export type FailureCode =
  | MemoryCode
  | FormatCode
  | InputCode
  | ServerCode
  | HistoryCode
  /** Sound, and of another build than the one that was asked for. */
  | 'mismatch'
  /** Nothing tells where to read: no symbols know the variable, or the layout of the structure. */
  | 'unknown';

/** Where it failed; what does not apply is left out. */
export interface FailurePlace {
  /** Virtual address that was asked for. */
  readonly address?: bigint;
  /** Physical address of the page that is missing. */
  readonly physical?: number;
  /** Level of the page tables that ended the way: 0 for the PTE or what it points to, 1 for the PDE, and so on. */
  readonly level?: number;
  /** File offset. */
  readonly position?: number;
}

/** What was not read, and why, for programs and for people. */
export class Failure<Code extends FailureCode = FailureCode> {
  constructor(
    readonly code: Code,
    /** One sentence with the numbers: what was wanted, where, and what stood in the way. */
    readonly message: string,
    readonly place: FailurePlace = NOWHERE,
  ) {}
}

const NOWHERE: FailurePlace = {};

/** A failure that is thrown. The message is one line for the user. */
export class Thrown<Code extends FailureCode = FailureCode> extends Error {
  constructor(
    readonly code: Code,
    message: string,
  ) {
    super(message);
  }
}

/** True when a read gave a failure instead of its value. */
export function failed(value: unknown): value is Failure {
  return value instanceof Failure;
}

/** Lower-case hexadecimal with `0x`, for messages and results. */
export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
