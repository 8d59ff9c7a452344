/** What the commands about objects share: their forms of output and `--redact`. */

import type { Warning } from '../result/result.js';
import { renderPart } from '../report/part-json.js';
import { UsageError } from './errors.js';
import { GROUP, jsonOption } from './options.js';
import type { Output } from './output.js';
import { namedFiles, REDACT, redactorFor } from './redact-options.js';
import { SYMBOLS, type SymbolArguments } from './symbol-options.js';

export const OBJECT_OPTIONS = {
  json: jsonOption('Write it as JSON'),
  csv: { type: 'boolean', describe: 'Write a table for spreadsheets', group: GROUP.output },
  ...REDACT,
  ...SYMBOLS,
} as const;

interface Given extends SymbolArguments {
  readonly json?: boolean | undefined;
  readonly csv?: boolean | undefined;
  readonly redact?: boolean | undefined;
  readonly 'redact-key'?: string | undefined;
}

/** Throws UsageError for forms that exclude each other. */
export function checkForms({ json, csv }: Given): void {
  if (json === true && csv === true) throw new UsageError('--json and --csv exclude each other');
}

/** Writes a part in the form that was asked for, without names where that was. */
export async function writePart<T extends { dump: { path: string }; warnings: Warning[] }>(
  given: Given,
  output: Output,
  part: T,
  forms: { text(part: T): string; csv(part: T): string; json(part: T): object },
): Promise<void> {
  const redactor = await redactorFor(given);
  let shown = part;
  if (redactor !== null) {
    const { redactPart } = await import('../redact/result.js');
    shown = redactPart(part, redactor, namedFiles(given.symbols, given.profiles));
  }
  if (given.json === true) await output.json(renderPart(forms.json(shown)));
  else await output.text(given.csv === true ? forms.csv(shown) : forms.text(shown));
}
