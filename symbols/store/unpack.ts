/** Compressed files of symbol stores (`ntkrnlmp.pd_`), unpacked from one path to another. */

import { closeSync, openSync, writeSync } from 'node:fs';
import { fileOffset } from '../../parsers/addresses.js';
import { failed } from '../../parsers/bytes/failure.js';
import { unpackCab } from '../../parsers/cab/unpack-cab.js';

const CHUNK = 1 << 20;

/** Unpacks the cabinet at `from` into the existing file at `to`. Throws an Error with one sentence when it cannot. */
export async function unpackCabinet(from: string, to: string, mostBytes: number): Promise<void> {
  const unpacked = await unpackCab(from, { limit: mostBytes });
  if (failed(unpacked)) throw new Error(unpacked.message);
  try {
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
    }
  } finally {
    unpacked.source.close();
  }
}
