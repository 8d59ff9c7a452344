/** A check as GitHub annotations: workflow commands, a line each, which the runner shows beside the run. */

import { printable } from '../../../parsers/text-safety.js';
import type { CheckReport } from '../../growth/check/outcome.js';
import { excessText, standing } from './check-words.js';

/** The runner shows ten errors of a step; what is left is in the log. */
const MOST = 10;

/** Lines with their line feeds; none where all passed and nothing is to be noted. */
export function renderAnnotations({ dumps }: CheckReport): string {
  const errors = dumps.flatMap((dump) => {
    const title = `dumpleak: ${dump.path}`;
    if (dump.outcome === 'failed') return dump.excesses.map((excess) => command('error', title, excessText(excess)));
    return dump.outcome === 'passed' ? [] : [command('error', title, standing(dump))];
  });
  const shown = errors.slice(0, MOST);
  if (errors.length > MOST) shown.push(command('error', 'dumpleak', `${errors.length - MOST} more: see the log`));
  const notes = new Set(dumps.flatMap(({ path, notes: of }) => of.map(({ message }) => command('warning', `dumpleak: ${path}`, message)))); // prettier-ignore
  return [...shown, ...[...notes].slice(0, MOST)].map((line) => `${line}\n`).join('');
}

function command(kind: 'error' | 'warning', title: string, message: string): string {
  return `::${kind} title=${property(title)}::${data(message)}`;
}

/** What a command's text must not hold as it is. */
const data = (text: string): string => printable(text).replaceAll('%', '%25');
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
