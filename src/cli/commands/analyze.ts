/** `dumpleak analyze`: the whole analysis of one dump. */

import { join } from 'node:path';
import { analyze, type ModuleCompleter } from '../../analysis/analyze.js';
import { typedTag } from '../../result/tag.js';
import { renderJson } from '../../report/json.js';
import type { Redactor } from '../../report/redact/redactor.js';
import { renderAnalysis } from '../../report/text/analyze.js';
import type { AnalysisResult } from '../../result/result.js';
import { defineCommand } from '../command.js';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import { DUMP, GROUP, IMAGES, jsonOption, KNOWN_ISSUES, POOLTAG, TOP } from '../options.js';
import { readDump } from '../read-dump.js';
import { namedFiles, REDACT, redactorFor } from '../redact-options.js';
import { SYMBOLS } from '../symbol-options.js';
import { readTagLists } from '../tag-lists.js';
import { checkWritable, makeFolder, writeWhole } from '../write-file.js';

export const command = defineCommand({
  positionals: { dump: DUMP },
  options: {
    tag: {
      type: 'string',
      requiresArg: true,
      describe: 'Report on this tag, suspicious or not: up to four characters, or 0x and its number',
      group: GROUP.what,
    },
    pool: {
      choices: ['nonpaged', 'paged'],
      requiresArg: true,
      describe: 'Look for suspects in this pool only',
      group: GROUP.what,
    },
    pooltag: POOLTAG,
    images: IMAGES,
    'known-issues': KNOWN_ISSUES,
    json: jsonOption('Write the result as JSON (docs/result.md)'),
    csv: {
      type: 'string',
      requiresArg: true,
      describe: 'Also write tables for spreadsheets to this folder',
      group: GROUP.output,
    },
    html: {
      type: 'string',
      requiresArg: true,
      describe: 'Also write a page for a browser or a mail to this file',
      group: GROUP.output,
    },
    top: TOP,
    'fail-on-leak': {
      type: 'boolean',
      describe: 'End with exit code 1 when a leak is suspected',
      group: GROUP.output,
    },
    'fail-on-undecided': {
      type: 'boolean',
      describe: 'End with exit code 1 when the dump cannot tell whether pool leaks',
      group: GROUP.output,
    },
    ...REDACT,
    ...SYMBOLS,
  },
  examples: [
    ['analyze MEMORY.DMP', 'what leaks, and the driver behind it'],
    ['analyze MEMORY.DMP --html report.html', 'also a page with pictures, to be mailed'],
    ['analyze MEMORY.DMP --images drivers', 'with a copy of System32\\drivers for pages that the dump lacks'],
    ['analyze MEMORY.DMP --fail-on-leak --quiet', 'for scripts: exit code 1 means a leak'],
  ],
  run: async (args, output, host) => {
    const { tag, pool, csv, html, top } = args;
    if (tag !== undefined && typedTag(tag) === null) {
      throw new UsageError(`--tag ${tag}: a tag has up to four characters, or is 0x and its number`);
    }
    const redactor = await redactorFor(args);
    if (html !== undefined) checkWritable(html);
    const lists = readTagLists(args.pooltag, host.env);
    const images = args.images === undefined ? undefined : await imageFolders(args.images);
    const knownIssues = await (await import('../../leak/known-issues.js')).allIssues(args['known-issues'] ?? []);
    const found = await readDump(args, host, async (opened, progress, symbols) => {
      if (csv !== undefined) makeFolder(csv);
      const result = analyze(opened, {
        tag,
        pool,
        descriptions: lists.descriptions,
        progress,
        images,
        knownIssues,
        noted: noted({ tag, pool, pooltag: lists.files, images: args.images, knownIssues: args['known-issues'] }),
      });
      if (symbols !== null) await (await import('../../analysis/name-functions.js')).nameByPdbs(result, symbols);
      return result;
    });
    found.warnings.push(...lists.warnings);
    const result =
      redactor === null
        ? found
        : await redacted(
            found,
            redactor,
            namedFiles(lists.files, args.images, args['known-issues'], args.symbols, args.profiles),
          );
    if (csv !== undefined) await writeTables(result, csv);
    if (html !== undefined) await writePage(result, html);
    if (args.json === true) await output.json(renderJson(result));
    else await output.text(renderAnalysis(result, { ...output.style, top }));
    const { leakSuspected } = result.verdict;
    const fails =
      (args['fail-on-leak'] === true && leakSuspected === true) ||
      (args['fail-on-undecided'] === true && leakSuspected === null);
    return fails ? EXIT.leak : EXIT.done;
  },
});

async function imageFolders(paths: readonly string[]): Promise<ModuleCompleter> {
  const { ImageFolders } = await import('../../analysis/driver-files/images.js');
  return new ImageFolders(paths);
}

async function redacted(found: AnalysisResult, redactor: Redactor, files: string[]): Promise<AnalysisResult> {
  return (await import('../../report/redact/result.js')).redactResult(found, redactor, files);
}

/** The options that were given. */
function noted(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

async function writeTables(result: AnalysisResult, folder: string): Promise<void> {
  const { csvFiles } = await import('../../report/csv.js');
  for (const { name, text } of csvFiles(result)) writeWhole(join(folder, name), text);
}

async function writePage(result: AnalysisResult, file: string): Promise<void> {
  const { renderAnalysisPage } = await import('../../report/html/analysis-page.js');
  writeWhole(file, renderAnalysisPage(result));
}
