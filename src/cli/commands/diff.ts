/** `dumpleak diff`: what grew between two snapshots. */

import { readDifference } from '../../growth/diff.js';
import { renderDiff, renderDiffJson } from '../../report/trend/diff-report.js';
import { defineCommand } from '../command.js';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import { TIME_OPTIONS, withInputs } from '../options/growth-inputs.js';
import { jsonOption, POOLTAG, READING, TOP } from '../options/options.js';
import { REDACT, redactorFor } from '../options/redact-options.js';
import { readTagLists } from '../options/tag-lists.js';

export const command = defineCommand({
  positionals: {
    before: { describe: 'The earlier dump, poolmon log or result of analyze --json', kind: 'required' },
    after: { describe: 'The later one', kind: 'required' },
  },
  options: {
    'utc-offset': TIME_OPTIONS['utc-offset'],
    pooltag: POOLTAG,
    json: jsonOption('Write it as JSON'),
    top: TOP,
    ...REDACT,
    ...READING,
  },
  examples: [
    ['diff monday.dmp friday.dmp', 'what grew, and which drivers came or changed'],
    ['diff poolsnap-1.log poolsnap-2.log --json', 'the same of two logs, for programs'],
  ],
  run: async (args, output, host) => {
    const { descriptions } = readTagLists(args.pooltag, host.env);
    const describe = descriptions.describe.bind(descriptions);
    const redactor = await redactorFor(args);
    const read = await withInputs([args.before, args.after], [], args, host, async (files, options) => {
      const [before, after, more] = files;
      if (before === undefined || after === undefined || more !== undefined) {
        throw new UsageError(`diff compares two files; these names stand for ${files.length}`);
      }
      return readDifference(before, after, options);
    });
    const difference =
      redactor === null ? read : (await import('../../redact/growth.js')).redactDifference(read, redactor);
    if (args.json === true) await output.json(renderDiffJson(difference, { describe }));
    else await output.text(renderDiff(difference, { ...output.style, top: args.top, describe }));
    return EXIT.done;
  },
});
