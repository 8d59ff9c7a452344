/** What the commands about objects share: their forms of output and `--redact`. */

import type { DumpInfo, Warning } from '../../result/result.js';
import type { View } from '../../views/view.js';
import { UsageError } from '../errors.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { GROUP, jsonOption, READING } from './options.js';
import type { Host, Output } from '../terminal/output.js';
import { readDump, type DumpArguments } from '../read-dump.js';
import { namedFiles, REDACT, redactorFor } from './redact-options.js';
import { write } from '../show-view.js';
import { SYMBOLS } from './symbol-options.js';

export const OBJECT_OPTIONS = {
  json: jsonOption('Write it as JSON'),
  csv: { type: 'boolean', describe: 'Write a table for spreadsheets', group: GROUP.output },
  ...REDACT,
  ...SYMBOLS,
  ...READING,
} as const;

interface Given extends DumpArguments {
  readonly json?: boolean | undefined;
  readonly csv?: boolean | undefined;
  readonly redact?: boolean | undefined;
  readonly 'redact-key'?: string | undefined;
}

/**
 * Shows a view as text, JSON or a table, without names where that was asked for. Throws UsageError for forms that exclude
 * each other.
 */
export async function showObjects<Wanted, Result extends { dump: DumpInfo; warnings: Warning[] }>(
  view: View<Wanted, Result>,
  asked: Wanted,
  args: Given,
  { output, host, csv }: { output: Output; host: Host; csv: (result: Result) => string },
): Promise<ExitCode> {
  if (args.json === true && args.csv === true) throw new UsageError('--json and --csv exclude each other');
  const redactor = await redactorFor(args);
  let result = await readDump(args, host, (opened, progress) => view.read({ opened, progress }, asked));
  if (redactor !== null) {
    const { redactPart } = await import('../../redact/result.js');
    result = redactPart(result, redactor, namedFiles(args.symbols, args.profiles));
  }
  if (args.csv !== true) return write(view, asked, result, args.json === true, output);
  await output.text(csv(result));
  return EXIT.done;
}
