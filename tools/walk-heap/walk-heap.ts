/**
 * `npm run walk-heap -- FOLDER`: prints a JSON object a line for every live block of the segment heaps in a saved memory:
 * `address`, `size` (bytes asked for), `kind` (lfh, vs, segment, large). What was missing or damaged goes to stderr. Exit codes:
 * 0 done, 2 a folder that cannot be read, 64 wrong usage.
 */

import { writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { BadFolder, SavedMemory } from './saved-memory.js';
import { walkFolder } from './walk-folder.js';

const USAGE = 'Usage: npm run --silent walk-heap -- FOLDER [--counts]\n';
/** Characters written at once. */
const BATCH = 1 << 16;

function main(): number {
  let folder: string | undefined;
  let counts: boolean | undefined;
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: { counts: { type: 'boolean' } } });
    if (positionals.length !== 1) throw new Error('one folder is needed');
    folder = positionals[0];
    counts = values.counts;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}`);
    return 64;
  }
  try {
    let lines = '';
    const flush = (): void => {
      writeAll(lines);
      lines = '';
    };
    const heaps = walkFolder(SavedMemory.read(folder ?? ''), (block) => {
      lines += `${JSON.stringify(block)}\n`;
      if (lines.length >= BATCH) flush();
    });
    flush();
    for (const { heap, proof, counts: met } of heaps) {
      const { chunksCorrupt, subsegmentsCorrupt, segmentsCorrupt, descriptorsCorrupt, largeCorrupt } = met;
      const damaged = chunksCorrupt + subsegmentsCorrupt + segmentsCorrupt + descriptorsCorrupt + largeCorrupt;
      const at = `0x${BigInt.asUintN(64, BigInt(heap.address)).toString(16)}`;
      if (damaged > 0) process.stderr.write(`heap ${at}: ${damaged} damaged structures, ${met.bytesLost} bytes lost\n`);
      if (counts === true) process.stderr.write(`${JSON.stringify({ heap: at, layout: proof.layout.name, ...met })}\n`);
    }
    return 0;
  } catch (error) {
    if (!(error instanceof BadFolder)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
}

/** Writes all of a text to stdout, also into a pipe that is full. */
function writeAll(text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // The reader of a pipe has what it wanted.
      if (code === 'EPIPE') process.exit(0);
      if (code !== 'EAGAIN') throw error;
    }
  }
}

process.exitCode = main();
