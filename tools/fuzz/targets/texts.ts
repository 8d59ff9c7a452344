/** Logs, results and tag lists: read as `trend`, `diff` and `--pooltag` read them, and everything written that comes of it. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { failed } from '../../../parsers/bytes/failure.js';
import { InputError } from '../../../parsers/bytes/input-error.js';
import { readTagFile, TagDescriptions } from '../../../src/kernel/pool/tag-descriptions.js';
import { readDifference } from '../../../src/growth/diff.js';
import { readCounterNames } from '../../../src/growth/read/inputs.js';
import { readTrend } from '../../../src/growth/trend.js';
import { renderDiff, renderDiffJson } from '../../../src/report/trend/diff-report.js';
import { renderTrendCsv } from '../../../src/report/trend/trend-csv.js';
import { renderTrendJson } from '../../../src/report/trend/trend-json.js';
import { renderTrendSvg } from '../../../src/report/trend/trend-svg.js';
import { renderTrend } from '../../../src/report/trend/trend-text.js';
import { utf16 } from '../../../test-dumps/bytes.js';
import {
  SAMPLE_COUNTER_NAMES,
  SAMPLE_POOLTAG,
  samplePerfmon,
  samplePoolmon,
  sampleResults,
  sampleTagCsv,
} from '../sample-texts.js';
import type { FuzzTarget } from '../target.js';

const bytesOf = (text: string) => (): Uint8Array => Buffer.from(text);
const wide = (text: string) => (): Uint8Array => Buffer.concat([Buffer.from([0xff, 0xfe]), utf16(text)]);

const NUMBERS = ['99999999999999999999', '-1', '1e308', 'NaN', '0x7fffffff', ' ', '0', '.'];

export const TEXT_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'poolmon-log',
    seeds: [
      ...(['narrow', 'wide', 'screen'] as const).map((columns) => bytesOf(samplePoolmon(columns))),
      wide(samplePoolmon('wide')),
    ],
    words: [
      ...NUMBERS,
      ' Tag  Type',
      'Nonp',
      'Paged',
      '\r\n',
      '\f',
      'K',
      ' Memory:',
      ' Commit:',
      '(',
      '[',
      '\u001b[31m',
    ],
    feed: feedLog,
  },
  {
    name: 'perfmon-csv',
    seeds: [bytesOf(samplePerfmon()), wide(samplePerfmon()), bytesOf(samplePerfmon().replaceAll('","', '";"'))],
    words: [
      ...NUMBERS,
      '"',
      '""',
      ',',
      ';',
      '\t',
      '\r\n',
      '\\',
      '(',
      ')',
      '02/30/2002 25:61:61.999',
      '","'.repeat(2000),
    ],
    feed: feedLog,
  },
  {
    name: 'tag-csv',
    seeds: [bytesOf(sampleTagCsv()), wide(sampleTagCsv())],
    words: [...NUMBERS, '"', ',', ';', 'Tag', 'PagedUsedBytes', '2024-02-30 24:00:00', '\n', '﻿', '=cmd()'],
    feed: feedLog,
  },
  {
    name: 'results-json',
    seeds: [bytesOf(sampleResults(false)), bytesOf(sampleResults(true))],
    words: [
      ...NUMBERS,
      'null',
      '{',
      '}',
      '[',
      ']',
      '"rows":',
      '"__proto__":',
      '"hex":"0x6b61654c"',
      '{"a":'.repeat(3000),
    ],
    feed: feedLog,
  },
  {
    name: 'counter-names',
    seeds: [bytesOf(SAMPLE_COUNTER_NAMES), wide(SAMPLE_COUNTER_NAMES)],
    words: [...NUMBERS, '=', '"', '\0', '\n58\n', '58=Memory'],
    feed(input, folder) {
      const path = join(folder, 'names.txt');
      writeFileSync(path, input);
      refusable(() => readCounterNames(path));
    },
  },
  {
    name: 'pooltag',
    seeds: [bytesOf(SAMPLE_POOLTAG), wide(SAMPLE_POOLTAG)],
    words: [' - ', 'rem', '//', '*', '????', '\0', '\n', '\u202e', '\x1a', ' '.repeat(5000)],
    feed(input, folder) {
      const path = join(folder, 'pooltag.txt');
      writeFileSync(path, input);
      const file = readTagFile(path);
      if (failed(file)) return;
      const descriptions = new TagDescriptions([file]);
      for (const tag of ['Leak', 'Mm  ', 'Vi12', '8042', '????', '\0\0\0\0', '']) {
        descriptions.describe(tag);
        descriptions.usedByWindows(tag);
      }
    },
  },
];

/** Reads a log, judges it, and writes every report. */
async function feedLog(input: Uint8Array, folder: string): Promise<void> {
  const path = join(folder, 'fuzz.log');
  writeFileSync(path, input);
  try {
    const trend = await readTrend([path], { modules: true });
    renderTrend(trend);
    JSON.parse(renderTrendJson(trend));
    renderTrendCsv(trend);
    renderTrendSvg(trend);
    const difference = await readDifference(path, path);
    renderDiff(difference);
    JSON.parse(renderDiffJson(difference));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
}

function refusable(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
}
