/** `.help` and `.hh`: the commands, made of the registry. */

import { printable } from '../../../parsers/text-safety.js';
import { wrap } from '../../views/print/style.js';
import type { Catalog } from '../catalog.js';
import type { KdCommand } from '../command.js';
import { KdError } from '../kd-error.js';

const WIDTH = 100;
const STANDINGS: Readonly<Record<KdCommand['standing'], string>> = {
  same: 'As the debugger prints it.',
  differs: 'As the debugger prints it, but:',
  ours: 'Ours; the debugger has no such output.',
};

/** All commands under their titles; with a text, those whose names, words or summary hold it. */
export function helpLines(catalog: Catalog, text: string): string {
  const lower = text.toLowerCase();
  const holds = ({ names, usage, summary }: KdCommand): boolean =>
    [...names, ...usage, summary].some((one) => one.toLowerCase().includes(lower));
  const lines: string[] = [];
  for (const { title, commands } of catalog.families) {
    const shown = commands.filter(holds);
    if (shown.length === 0) continue;
    lines.push(...(lines.length === 0 ? [] : ['']), title);
    for (const { usage, summary } of shown) {
      const [first = '', ...others] = usage;
      lines.push(first.length <= 34 ? `  ${first.padEnd(36)}${summary}` : `  ${first}`);
      if (first.length > 34) lines.push(`  ${' '.repeat(36)}${summary}`);
      lines.push(...others.map((one) => `  ${one}`));
    }
  }
  if (lines.length === 0) return `No command holds ${printable(text)}\n`;
  return `${[...lines, '', '.hh COMMAND tells the flags of a command and what differs from the debugger'].join('\n')}\n`;
}

/** What is known of one command. Throws KdError for a name that none has. */
export function commandHelp(catalog: Catalog, name: string): string {
  if (name === '') return helpLines(catalog, '');
  const { command, name: read } = catalog.read(name);
  if (command === null) throw new KdError(catalog.noSuch(read));
  const { usage, summary, flags = [], standing, differs } = command;
  const width = Math.max(0, ...flags.map(([typed]) => typed.length));
  return `${[
    ...usage.map((one) => `  ${one}`),
    '',
    `${summary}.`,
    ...(flags.length === 0 ? [] : ['', ...flags.map(([typed, what]) => `  ${typed.padEnd(width)}  ${what}`)]),
    '',
    ...wrap(`${STANDINGS[standing]}${differs === undefined ? '' : ` ${differs}`}`, WIDTH),
  ].join('\n')}\n`;
}
