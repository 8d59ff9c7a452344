/** `dumpleak check`: dumps of a driver's tests against what a good run held. */

import { checkDump } from '../../analysis/check-dump.js';
import { imageFolders } from '../../analysis/run.js';
import { asInputError } from '../../../parsers/bytes/file-source.js';
import { InputError } from '../../../parsers/bytes/input-error.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { readRegularFile } from '../../../parsers/files/regular-file.js';
import { baselineOf, baselineText, readBaseline, type Baseline } from '../../growth/check/baseline.js';
import { whyNotComparable, type Allowance, type DumpCheck, type TagLimit } from '../../growth/check/judge-dump.js';
import { outcomeOf, type CheckReport } from '../../growth/check/outcome.js';
import { renderAnnotations } from '../../report/check/annotations.js';
import { renderCheckJson } from '../../report/check/check-json.js';
import { renderCheck } from '../../report/check/check-text.js';
import { renderJunit } from '../../report/check/junit.js';
import type { AnalysisResult } from '../../result/result.js';
import { sizeText } from '../../result/amount.js';
import { typedTag } from '../../result/tag.js';
import { counted } from '../../views/print/format.js';
import { defineCommand } from '../command.js';
import { FileError, UsageError } from '../errors.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { byteAmount } from '../options/byte-amounts.js';
import { GROUP, IMAGES, jsonOption, POOLTAG, READING } from '../options/options.js';
import { SYMBOLS } from '../options/symbol-options.js';
import { readTagLists } from '../options/tag-lists.js';
import { expandWildcards } from '../options/wildcards.js';
import { readDump } from '../read-dump.js';
import type { Host, Output } from '../terminal/output.js';
import { checkWritable, isSameFile, writeWhole } from '../terminal/write-file.js';

const MOST_BASELINE_BYTES = 64 * 2 ** 20;
const GROWTH_PERCENT = 20;
const GROWTH_BYTES = 2 ** 20;

/** Reads `20%` or `20`; the error is for the user. */
function percentOf(value: unknown): number {
  const match = /^(\d{1,6}(?:\.\d{1,3})?) ?%?$/.exec(String(value).trim());
  if (match === null) throw new Error('--max-growth wants a percentage such as 20%');
  return Number(match[1]);
}

function bytesOf(value: unknown): number {
  const bytes = byteAmount(String(value));
  if (bytes === null) throw new Error('--min-growth wants an amount such as 1MB, 512KB or 4096');
  return bytes;
}

/** Reads `Leak=10MB`. A tag may hold an equals sign, so the last one counts. Throws UsageError. */
function limitOf(text: string): TagLimit {
  const at = text.lastIndexOf('=');
  const tag = text.slice(0, Math.max(at, 0));
  const key = typedTag(tag);
  const bytes = byteAmount(text.slice(at + 1));
  if (at <= 0 || key === null || bytes === null) {
    throw new UsageError(`--tag ${text}: give a tag and what it may hold at most, as Leak=10MB`);
  }
  return { tag, key, bytes };
}

export const command = defineCommand({
  positionals: { dumps: { describe: 'Dumps, or patterns such as run/*.dmp', kind: 'list' } },
  options: {
    baseline: {
      type: 'string',
      requiresArg: true,
      describe: 'What tags and drivers held in a good run: a file that --write-baseline has made',
      group: GROUP.what,
    },
    'write-baseline': {
      type: 'boolean',
      describe: 'Write the file of --baseline from these dumps instead of comparing',
      group: GROUP.what,
    },
    'max-growth': {
      type: 'string',
      requiresArg: true,
      coerce: percentOf,
      describe: `What may be held more than the baseline says (${GROWTH_PERCENT}%)`,
      group: GROUP.what,
    },
    'min-growth': {
      type: 'string',
      requiresArg: true,
      coerce: bytesOf,
      describe: 'Growth up to so much passes, whatever it is in percent (1MB)',
      group: GROUP.what,
    },
    tag: {
      type: 'array',
      string: true,
      requiresArg: true,
      describe: 'What a tag may hold at most, in place of the baseline: Leak=10MB; may be given several times',
      group: GROUP.what,
    },
    pooltag: POOLTAG,
    images: IMAGES,
    json: jsonOption('Write it as JSON (docs/ci.md)'),
    junit: {
      type: 'string',
      requiresArg: true,
      describe: 'Also write JUnit XML to this file',
      group: GROUP.output,
    },
    github: {
      type: 'boolean',
      describe: 'Also write annotations for GitHub Actions to stdout',
      group: GROUP.output,
    },
    ...SYMBOLS,
    ...READING,
  },
  examples: [
    ['check good.dmp --baseline pool.json --write-baseline', 'note what a good run holds'],
    ['check after.dmp --baseline pool.json', 'exit code 1 when a tag or driver holds over 20 % more'],
    ['check run/*.dmp --tag Acme=2MB --junit pool.xml', 'a limit for one tag, for a CI server'],
  ],
  run: async (args, output, host) => {
    const { baseline: file, junit } = args;
    const write = args['write-baseline'] === true;
    const limits = (args.tag ?? []).map(limitOf);
    if (args.dumps.length === 0) throw new UsageError('name the dumps to check');
    if (file === undefined && (write || limits.length === 0)) {
      throw new UsageError('say what is allowed with --baseline FILE, or with --tag Leak=10MB');
    }
    if (args.github === true && args.json === true && args.output === undefined) {
      throw new UsageError('--github and --json both write to the console: give --output FILE too');
    }
    const paths = args.dumps.flatMap((path) => {
      const found = expandWildcards(path, host.platform);
      return found.length === 0 ? [path] : found;
    });
    for (const target of [write ? file : undefined, junit, args.output]) {
      const hit = target === undefined ? undefined : paths.find((path) => isSameFile(path, target));
      if (hit !== undefined) throw new UsageError(`${String(target)} is one of the dumps: it would be overwritten`);
    }
    const settings = await settingsOf(args, host);
    if (write && file !== undefined) {
      checkWritable(file);
      return writeBaseline(paths, file, args, settings, output, host);
    }
    if (junit !== undefined) checkWritable(junit);
    const allowance: Allowance = {
      baseline: file === undefined ? null : loadBaseline(file),
      maxGrowthPercent: args['max-growth'] ?? GROWTH_PERCENT,
      minGrowthBytes: args['min-growth'] ?? GROWTH_BYTES,
      limits,
    };
    const dumps: DumpCheck[] = [];
    for (const path of paths) dumps.push(await checked(path, args, settings, allowance, host));
    const report: CheckReport = { ...allowance, baselineFile: file ?? null, dumps };
    if (junit !== undefined) writeWhole(junit, renderJunit(report));
    if (args.json === true) await output.json(renderCheckJson(report));
    else await output.text(renderCheck(report, output.style));
    if (args.github === true) await output.aside(renderAnnotations(report));
    return EXITS[outcomeOf(report)];
  },
});

const EXITS = {
  passed: EXIT.done,
  failed: EXIT.leak,
  undecided: EXIT.badInput,
  unreadable: EXIT.badInput,
} as const satisfies Record<DumpCheck['outcome'], ExitCode>;

type Settings = Awaited<ReturnType<typeof settingsOf>>;
type ReadingArguments = Omit<Parameters<typeof readDump>[0], 'dump'>;

async function settingsOf(args: { pooltag?: string[] | undefined; images?: string[] | undefined }, host: Host) {
  const { descriptions } = readTagLists(args.pooltag, host.env);
  return { descriptions, images: await imageFolders(args.images) };
}

/** One that cannot be read fails by itself; the others are checked. */
async function checked(
  path: string,
  args: ReadingArguments,
  settings: Settings,
  allowance: Allowance,
  host: Host,
): Promise<DumpCheck> {
  try {
    return await readDump({ ...args, dump: path }, host, async (opened, progress, symbols) => {
      return (await checkDump(opened, { ...settings, progress, symbols }, allowance)).check;
    });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const reason = { code: error.code, message: error.message };
    return { path, outcome: 'unreadable', reason, excesses: [], tagsCompared: 0, notes: [] };
  }
}

function loadBaseline(path: string): Baseline {
  let text: string;
  try {
    text = readRegularFile(path, MOST_BASELINE_BYTES).toString('utf8');
  } catch (error) {
    throw asInputError(error, path);
  }
  const baseline = readBaseline(text, path);
  if (failed(baseline)) throw new FileError(baseline.message);
  return baseline;
}

async function writeBaseline(
  paths: readonly string[],
  file: string,
  args: ReadingArguments,
  settings: Settings,
  output: Output,
  host: Host,
): Promise<ExitCode> {
  const none: Allowance = { baseline: null, maxGrowthPercent: 0, minGrowthBytes: 0, limits: [] };
  const results: AnalysisResult[] = [];
  for (const path of paths) {
    const result = await readDump({ ...args, dump: path }, host, async (opened, progress, symbols) => {
      return (await checkDump(opened, { ...settings, progress, symbols }, none)).result;
    });
    const why = whyNotComparable(result);
    if (why !== null) throw new FileError(`${path} makes no baseline: ${why.message}`);
    // What a baseline needs of a result is little; the rest would add up over many dumps.
    results.push({ ...result, modules: null, processes: null, objectTypes: null });
  }
  const baseline = baselineOf(results);
  writeWhole(file, baselineText(baseline));
  const held = baseline.tags.reduce((sum, { bytes }) => sum + bytes, 0);
  await output.text(`${file}: ${counted(baseline.tags.length, 'entry', 'entries')} of tags with ${sizeText(held)}, ${counted(baseline.drivers.length, 'driver')}\n`); // prettier-ignore
  return EXIT.done;
}
