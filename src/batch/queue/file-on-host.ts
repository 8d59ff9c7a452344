/** The file of a queued dump on this host: where it lies, whether it is there, whether it is still the one that was queued. */

import { stat } from 'node:fs/promises';
import { errorText } from '../../../parsers/files/system-errors.js';
import type { Place } from '../inputs/entries.js';
import { localPath, type Mapping } from './path-map.js';
import { unseal, type QueuedDump } from './queued-dump.js';

export type Seen =
  | {
      readonly kind: 'seen' | 'unseen';
      /** On this host. */
      readonly path: string;
      /** As it is told, with names. */
      readonly whole: Place;
      /** Size or time are others than when it was queued. */
      readonly changed: boolean;
      /** Why it is not seen. */
      readonly why: string;
    }
  | { readonly kind: 'other-key' };

/** Times of a file that two systems tell may differ by so much, in milliseconds: FAT keeps every second one. */
const SAME_TIME = 2_000;

export class FileOnHost {
  constructor(
    private readonly mappings: readonly Mapping[],
    private readonly key: Uint8Array | null,
  ) {}

  async look(dump: QueuedDump): Promise<Seen> {
    const whole = this.wholePlace(dump);
    if (whole === null) return { kind: 'other-key' };
    const path = localPath(whole.path, this.mappings);
    try {
      const { size, mtimeMs } = await stat(path);
      const changed = size !== dump.size || Math.abs(mtimeMs - dump.mtimeMs) > SAME_TIME;
      return { kind: 'seen', path, whole, changed, why: '' };
    } catch (error) {
      return { kind: 'unseen', path, whole, changed: false, why: errorText(error) };
    }
  }

  private wholePlace({ place, sealed }: QueuedDump): Place | null {
    if (sealed === null) return place;
    return this.key === null ? null : unseal(sealed, this.key);
  }
}
