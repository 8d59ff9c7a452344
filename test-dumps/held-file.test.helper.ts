/** A file that another program would have open: Windows alone keeps others away from it. */

import { closeSync, constants, openSync } from 'node:fs';

/** Opens a file for this descriptor alone, which libuv knows on Windows only (`UV_FS_O_EXLOCK`). */
const ALONE = 0x10000000;

/** Holds a file that is there, so that it can neither be opened, replaced nor removed. Gives what lets it go. */
export function holdFile(path: string): () => void {
  const descriptor = openSync(path, constants.O_RDWR | ALONE);
  return () => {
    closeSync(descriptor);
  };
}
