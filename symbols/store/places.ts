/** The record of a search: every place that was looked at, and what was there. */

/**
 * - `found`: the file asked for, identity checked.
 * - `absent`: not there.
 * - `mismatch`: a file of that name with another identity; never used.
 * - `unreadable`: a file that cannot be read, unpacked or recognised.
 * - `no-folder`: the folder itself does not exist or cannot be opened.
 * - `on-server`: the server has a file under that key; it was not fetched, so its identity is not checked.
 * - `not-asked`: a server that was left alone (offline, not reachable before, or not wanted).
 * - `failed`: the server did not give an answer that can be used.
 * - `not-followed`: a `file.ptr` that points where this program does not go.
 * - `not-written`: a cache folder that cannot take the file.
 */
export type Outcome =
  | 'found'
  | 'absent'
  | 'mismatch'
  | 'unreadable'
  | 'no-folder'
  | 'on-server'
  | 'not-asked'
  | 'failed'
  | 'not-followed'
  | 'not-written';

/** One place. */
export interface Place {
  /** The element of the symbol path, without credentials. */
  readonly element: string;
  /** A path or an address, without credentials. */
  readonly where: string;
  readonly outcome: Outcome;
  /** One sentence where there is more to say. */
  readonly detail: string | null;
}

/** Collects the places of one search. */
export class PlaceLog {
  readonly places: Place[] = [];
  element = '';

  add(where: string, outcome: Outcome, detail: string | null = null): void {
    this.places.push({ element: this.element, where, outcome, detail });
  }
}
