/** Writes the logs of a generated machine: `node build/test-dumps/series/make-logs.js FOLDER [tags] [snapshots] [hours between]`. */

import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { machineLogs, type MachineOptions } from './machine-logs.js';

/** Writes the logs, each with the file time of its snapshot, and returns their paths. */
export function writeMachineLogs(folder: string, options: MachineOptions): string[] {
  mkdirSync(folder, { recursive: true });
  const paths: string[] = [];
  for (const { name, text, time } of machineLogs(options)) {
    const path = join(folder, name);
    writeFileSync(path, text, 'latin1');
    utimesSync(path, time / 1000, time / 1000);
    paths.push(path);
  }
  return paths;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [folder = 'poolmon-logs', tags = '400', samples = '200', stepHours = '0.25'] = process.argv.slice(2);
  writeMachineLogs(folder, {
    tags: Number(tags),
    samples: Number(samples),
    stepHours: Number(stepHours),
    seed: 1,
    leaks: 2,
  });
}
