/** `dumpleak analyze`: the whole analysis of one dump. */

import { join } from 'node:path';
import { givenOptions, imageFolders, run } from '../../analysis/run.js';
import { typedTag } from '../../result/tag.js';
import { report, reportText } from '../../report/registry.js';
import { defineCommand } from '../command.js';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import { DUMP, GROUP, IMAGES, jsonOption, KNOWN_ISSUES, POOLTAG, READING, TOP } from '../options/options.js';
import { checkOpen, OPEN, openPage } from '../terminal/open-page.js';
import { readDump } from '../read-dump.js';
import { namedFiles, REDACT, redactorFor } from '../options/redact-options.js';
import { SYMBOLS } from '../options/symbol-options.js';
import { readTagLists } from '../options/tag-lists.js';
import { checkWritable, makeFolder, writeWhole } from '../terminal/write-file.js';

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
    deep: {
      type: 'boolean',
      describe: 'Look at all blocks of the suspects, not at a sample: reads the whole pool',
      group: GROUP.what,
    },
    pooltag: POOLTAG,
    images: IMAGES,
    'known-issues': KNOWN_ISSUES,
    brief: { type: 'boolean', describe: 'Only the verdict, what it names, and what to do', group: GROUP.output },
    json: jsonOption('Write the result as JSON (docs/result.md)'),
    ndjson: {
      type: 'boolean',
      describe: 'Write flat documents for a search engine: the dump, its tags, its suspects (docs/monitoring.md)',
      group: GROUP.output,
    },
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
    open: OPEN,
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
    ...READING,
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
    if (args.json === true && args.ndjson === true) throw new UsageError('--json and --ndjson exclude each other');
    const redactor = await redactorFor(args);
    checkOpen(args.open, html);
    if (html !== undefined) checkWritable(html);
    const lists = readTagLists(args.pooltag, host.env);
    const images = await imageFolders(args.images);
    const knownIssues = await (await import('../../analysis/known-issues.js')).allIssues(args['known-issues'] ?? []);
    const files = namedFiles(lists.files, args.images, args['known-issues'], args.symbols, args.profiles);
    const result = await readDump(args, host, async (opened, progress, symbols) => {
      if (csv !== undefined) makeFolder(csv);
      return run(opened, {
        ...{ tag, pool, progress, images, knownIssues, symbols, deep: args.deep },
        descriptions: lists.descriptions,
        warnings: lists.warnings,
        noted: givenOptions({
          ...{
            tag,
            pool,
            deep: args.deep,
            pooltag: lists.files,
            images: args.images,
            knownIssues: args['known-issues'],
          },
        }),
        redaction: redactor === null ? null : { redactor, files },
      });
    });
    if (csv !== undefined) {
      for (const { name, text } of await report('csv', result)) writeWhole(join(csv, name), text);
    }
    if (html !== undefined) writeWhole(html, await reportText('html', result));
    if (args.json === true) await output.json(await reportText('json', result));
    else if (args.ndjson === true) await output.json(await reportText('ndjson', result));
    else {
      const closing = output.style.width !== undefined;
      await output.text(await reportText('text', result, { ...output.style, top, brief: args.brief, closing }));
    }
    if (args.open === true && html !== undefined) await openPage(html, host);
    const { leakSuspected } = result.verdict;
    const fails =
      (args['fail-on-leak'] === true && leakSuspected === true) ||
      (args['fail-on-undecided'] === true && leakSuspected === null);
    return fails ? EXIT.leak : EXIT.done;
  },
});
