/** Compressed files of symbol stores (`ntkrnlmp.pd_`), unpacked from one path to another. */

import { closeSync, openSync, writeSync } from 'node:fs';
import { fileOffset } from '../../parsers/addresses.js';
import { failed } from '../../parsers/bytes/failure.js';
import { FileSource } from '../../parsers/bytes/file-source.js';
import { decompressCab } from '../../parsers/cab/cab.js';

const CHUNK = 1 << 20;

/** Unpacks the cabinet at `from` into the existing file at `to`. Throws an Error with one sentence when it cannot. */
export function unpackCabinet(from: string, to: string, mostBytes: number): void {
  const source = new FileSource(from);
  try {
    const unpacked = decompressCab(source, { limit: mostBytes });
    if (failed(unpacked)) throw new Error(unpacked.message);
    const file = openSync(to, 'r+');
    try {
      const chunk = new Uint8Array(CHUNK);
      for (let position = 0; ;) {
        const count = unpacked.source.read(fileOffset(position), chunk);
        if (count === 0) break;
        for (let done = 0; done < count;) done += writeSync(file, chunk, done, count - done, position + done);
        position += count;
      }
    } finally {
      closeSync(file);
      unpacked.source.close();
    }
  } finally {
    source.close();
  }
}
