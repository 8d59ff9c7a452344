/** What a tool of the server is. */

import type { Redactor } from '../redact/redactor.js';
import type { Found } from './answer.js';
import type { Folders } from './folders.js';

/** Words that a client gave, checked against the tool's schema. */
export type Words = Readonly<Record<string, string | number | boolean | undefined>>;

/** What a tool works with. */
export interface Place {
  readonly folders: Folders;
  /** Null where names may be seen. */
  readonly redactor: Redactor | null;
  /** Runs the program with these words. Throws ToolError. */
  run(args: readonly string[], signal: AbortSignal): Promise<string>;
}

export interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** By name, beside `cursor`: JSON schemas of what it takes. */
  readonly takes: Readonly<Record<string, object>>;
  readonly required?: readonly string[];
  /** JSON schema of a row, and of the facts. */
  readonly row?: object;
  readonly facts?: object;
  answer(words: Words, place: Place, signal: AbortSignal): Promise<Found>;
}
