/** Secondary (tagged) data, which Windows and drivers append to a dump: a header and blobs until the file ends. */

import { concat, fromHex, guidBytes, latin1, putU32 } from '../bytes.js';
import type { Scenario } from '../scenario.js';

const FILE_HEADER = 0x10;
const BLOB_HEADER = 0x20;

/** The bytes, or none where the scenario has no such data. Blobs are padded before and after, as real ones are. */
export function secondaryData(build: number, blobs: Scenario['secondaryData']): Uint8Array {
  if (blobs === undefined) return new Uint8Array(0);
  const head = new Uint8Array(FILE_HEADER);
  head.set(latin1('DumpBlob'));
  putU32(head, 8, FILE_HEADER);
  putU32(head, 12, 0xf0000000 + build);
  const parts = blobs.map(({ guid, hex }, i) => {
    const data = fromHex(hex);
    const before = (i % 3) * 4;
    const after = (8 - ((data.length + before) % 8)) % 8;
    const blob = new Uint8Array(BLOB_HEADER);
    putU32(blob, 0, BLOB_HEADER);
    blob.set(guidBytes(guid.replace(/[{}-]/g, '')), 4);
    putU32(blob, 0x14, data.length);
    putU32(blob, 0x18, before);
    putU32(blob, 0x1c, after);
    return concat([blob, new Uint8Array(before), data, new Uint8Array(after)]);
  });
  return concat([head, ...parts]);
}
