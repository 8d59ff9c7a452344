/**
 * Dumps that come compressed: making them readable against decompressing them to nowhere with the same decompressor. One
 * dump is half zeros and half a program's bytes, as memory is; one is nearly all zeros. zstd and xz are packed by the
 * system's own programs; where there are none, their lines are left out.
 */

import { spawnSync } from 'node:child_process';
import { createReadStream, mkdtempSync, openSync, readSync, rmSync, statSync, writeSync, closeSync } from 'node:fs';
import { createWriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createGzip } from 'node:zlib';
import { measure, type BenchLine } from './measure.js';

const STEPS = fileURLToPath(new URL('./containers-steps.js', import.meta.url));
const MB = 2 ** 20;
/** Of both dumps. */
const SIZE = 128 * MB;
/** Zeros and contents take turns by so many bytes. */
const RUN = 96 * 1024;
const TIMES = 3;

interface Made {
  readonly what: string;
  readonly path: string;
}

const PACKERS: Readonly<Record<string, (from: string, to: string) => Promise<boolean>>> = {
  gzip: async (from, to) => {
    await pipeline(createReadStream(from), createGzip({ level: 6 }), createWriteStream(to));
    return true;
  },
  zstd: (from, to) => Promise.resolve(spawnSync('zstd', ['-q', '-f', '-3', from, '-o', to]).status === 0),
  xz: (from, to) => {
    const file = openSync(to, 'w');
    const { status } = spawnSync('xz', ['-1', '-T1', '-k', '-c', from], { stdio: ['ignore', file, 'ignore'] });
    closeSync(file);
    return Promise.resolve(status === 0);
  },
};

export async function containersBench(): Promise<BenchLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-bench-'));
  try {
    const dumps: readonly Made[] = [
      { what: 'half zeros', path: write(join(folder, 'half.dmp'), 1) },
      { what: 'nearly all zeros', path: write(join(folder, 'sparse.dmp'), 64) },
    ];
    const lines: BenchLine[] = [];
    for (const { what, path } of dumps) {
      for (const [name, pack] of Object.entries(PACKERS)) {
        const packed = `${path}.${name}`;
        if (await pack(path, packed)) lines.push(line(name, what, packed));
        rmSync(packed, { force: true });
      }
      rmSync(path);
    }
    return lines;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function line(name: string, what: string, packed: string): BenchLine {
  const kept = measure([STEPS, 'keep', name, packed], TIMES);
  const dropped = measure([STEPS, 'nowhere', name, packed], TIMES);
  if (kept.stdout !== dropped.stdout || kept.stdout !== String(SIZE))
    throw new Error(`${packed}: ${kept.stdout} bytes`);
  const size = `${(statSync(packed).size / MB).toFixed(0)} MB to ${SIZE / MB} MB`;
  return {
    name: `${name}, ${what}: readable against to nowhere`,
    ratio: kept.cpuMs / dropped.cpuMs,
    goal: 1.3,
    detail: `${size}: ${kept.cpuMs.toFixed(0)} ms against ${dropped.cpuMs.toFixed(0)} ms of processor time, ${(kept.peakBytes / MB).toFixed(0)} MB against ${(dropped.peakBytes / MB).toFixed(0)} MB`,
  };
}

/** A file that begins as a dump does: runs of this Node's own bytes, each after `zeros` runs of zeros. */
function write(path: string, zeros: number): string {
  const program = openSync(process.execPath, 'r');
  const file = openSync(path, 'w');
  try {
    const bytes = Buffer.alloc(RUN);
    const { size } = statSync(process.execPath);
    let from = 0;
    writeSync(file, 'PAGEDU64', 0);
    for (let at = RUN * zeros; at < SIZE; at += RUN * (zeros + 1)) {
      const count = readSync(program, bytes, 0, Math.min(RUN, SIZE - at), from);
      writeSync(file, bytes, 0, count, at);
      from = (from + RUN) % (size - RUN);
    }
    writeSync(file, '\0', SIZE - 1);
    return path;
  } finally {
    closeSync(program);
    closeSync(file);
  }
}
