/** `dumpleak trend`: what grows over many snapshots, and whether it is a leak or load. */

import { readTrend } from '../../growth/trend.js';
import { renderTrendCsv } from '../../report/trend/trend-csv.js';
import { renderTrendJson } from '../../report/trend/trend-json.js';
import { renderTrendSvg } from '../../report/trend/trend-svg.js';
import { renderTrend } from '../../report/trend/trend-text.js';
import { defineCommand } from '../command.js';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import { milliseconds, TIME_OPTIONS, withInputs } from '../options/growth-inputs.js';
import { FOLLOW_LINKS, GROUP, jsonOption, POOLTAG, READING, TOP } from '../options/options.js';
import { checkOpen, OPEN, openPage } from '../terminal/open-page.js';
import { REDACT, redactorFor } from '../options/redact-options.js';
import { readTagLists } from '../options/tag-lists.js';
import { writeWhole } from '../terminal/write-file.js';

const HOUR_MS = 3_600_000;

export const command = defineCommand({
  positionals: {
    inputs: {
      describe: 'poolmon logs, counter logs (CSV), dumps, results of analyze --json, or folders of them',
      kind: 'list',
    },
  },
  options: {
    tag: {
      type: 'array',
      string: true,
      requiresArg: true,
      describe: 'Only these tags; with * and ?. May be given several times',
      group: GROUP.what,
    },
    pool: { choices: ['nonpaged', 'paged'], requiresArg: true, describe: 'Only this pool', group: GROUP.what },
    ...TIME_OPTIONS,
    cycle: {
      type: 'string',
      requiresArg: true,
      coerce: milliseconds('--cycle'),
      describe: 'After what time load repeats itself (1d). Two of them tell load from a leak',
      group: GROUP.what,
    },
    'counter-names': {
      type: 'string',
      requiresArg: true,
      describe: 'Names of counters in the language of a counter log, by index: the file of lodctr /s',
      group: GROUP.what,
    },
    pooltag: POOLTAG,
    json: jsonOption('Write all series as JSON (docs/trend.md)'),
    csv: {
      type: 'string',
      requiresArg: true,
      describe: 'Also write a table with a row a sample to this file',
      group: GROUP.output,
    },
    svg: {
      type: 'string',
      requiresArg: true,
      describe: 'Also write a chart of what grows most to this file',
      group: GROUP.output,
    },
    html: {
      type: 'string',
      requiresArg: true,
      describe: 'Also write a page for a browser or a mail to this file',
      group: GROUP.output,
    },
    open: OPEN,
    'follow-links': FOLLOW_LINKS,
    top: TOP,
    'fail-on-leak': { type: 'boolean', describe: 'End with exit code 1 when something leaks', group: GROUP.output },
    ...REDACT,
    ...READING,
  },
  examples: [
    ['trend logs', 'all logs in a folder'],
    ['trend poolsnap-*.log --interval 15m', 'numbered logs, one every quarter of an hour'],
    ['trend logs --html growth.html', 'also a page with charts, to be mailed'],
    ['trend counters.csv monday.dmp friday.dmp', 'a counter log and two dumps of one machine'],
  ],
  run: async (args, output, host) => {
    const { inputs, tag, pool, csv, svg, html, top } = args;
    if (inputs.length === 0) throw new UsageError('trend wants logs, dumps or folders to read');
    checkOpen(args.open, html);
    const { descriptions } = readTagLists(args.pooltag, host.env);
    const cycleHours = args.cycle === undefined ? undefined : args.cycle / HOUR_MS;
    const redactor = await redactorFor(args);
    const read = await withInputs(inputs, [csv, svg, html], args, host, async (files, options) =>
      readTrend(files, { ...options, tags: tag, pool, cycleHours }),
    );
    const trend = redactor === null ? read : (await import('../../redact/growth.js')).redactTrend(read, redactor);
    const describe = descriptions.describe.bind(descriptions);
    if (csv !== undefined) writeWhole(csv, renderTrendCsv(trend));
    if (svg !== undefined) writeWhole(svg, renderTrendSvg(trend, { top }));
    if (html !== undefined) {
      const { renderTrendPage } = await import('../../report/html/trend-page.js');
      writeWhole(html, renderTrendPage(trend, { describe }));
    }
    if (args.json === true) await output.json(renderTrendJson(trend, { describe }));
    else await output.text(renderTrend(trend, { ...output.style, top, describe }));
    if (args.open === true && html !== undefined) await openPage(html, host);
    const leaks = trend.series.some(({ verdict }) => verdict.judgement === 'leak');
    return args['fail-on-leak'] === true && leaks ? EXIT.leak : EXIT.done;
  },
});
