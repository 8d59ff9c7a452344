/** The manual page, made of the definitions of the commands: docs/dumpleak.1. */

import type { Options } from 'yargs';
import { EXIT } from '../../src/cli/exit-codes.js';
import { optionsOf } from '../../src/cli/options/options.js';
import { COMMANDS } from '../../src/cli/registry.js';
import { VERSION } from '../../src/version.js';

/** Text as roff takes it: no line begins with a command, and a hyphen is one that can be copied. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .split('\n')
    .map((line) => (/^[.']/.test(line) ? `\\&${line}` : line))
    .join('\n');
}

const line = (...parts: string[]): string => parts.join(' ');
const bold = (text: string): string => `\\fB${roff(text)}\\fR`;
/** An argument of a roff command. */
const quoted = (text: string): string => `"${roff(text).replaceAll('"', '\\(dq')}"`;

/** The page, the same for the same commands. */
export async function manPage(): Promise<string> {
  const parts = [
    line('.TH DUMPLEAK 1', '""', quoted(`dumpleak ${VERSION}`), '"User Commands"'),
    '.SH NAME',
    roff('dumpleak - find Windows kernel pool leaks in crash dumps'),
    '.SH SYNOPSIS',
    `${bold('dumpleak')} \\fIDUMP\\fR`,
    '.br',
    `${bold('dumpleak')} \\fICOMMAND\\fR [\\fIWORDS\\fR] [\\fIOPTIONS\\fR]`,
    '.SH DESCRIPTION',
    roff('Reads a kernel crash dump, offline and without symbols, and tells how much pool was in use, which pool tag holds it, and which driver allocates under that tag. A dump alone is analyzed.'),
    '.SH COMMANDS',
  ]; // prettier-ignore
  for (const entry of COMMANDS) {
    const { name, words, summary } = entry;
    const { command } = await entry.load();
    parts.push(line('.SS', quoted(`${name} ${words}`.trim())), `${roff(summary)}.`);
    for (const [word, { describe }] of Object.entries(command.positionals)) {
      parts.push('.TP', `\\fI${roff(word)}\\fR`, roff(describe));
    }
    for (const [option, about] of Object.entries<Options>(optionsOf(command))) {
      if (about.hidden === true || GENERAL_WORDS.has(option)) continue;
      parts.push('.TP', flag(option, about), roff(about.describe ?? ''));
    }
    for (const [example, what] of command.examples) parts.push('.PP', bold(`dumpleak ${example}`), '.br', roff(what));
  }
  parts.push('.SH GENERAL OPTIONS');
  const general = Object.entries<Options>(optionsOf({ options: {} })).filter(([, { hidden }]) => hidden !== true);
  for (const [option, about] of general) parts.push('.TP', flag(option, about), roff(about.describe ?? ''));
  parts.push(
    '.SH EXIT STATUS',
    ...status(EXIT.done, 'Done.'),
    ...status(EXIT.leak, 'A leak is suspected (--fail-on-leak), a dump cannot tell (--fail-on-undecided), or a check failed.'),
    ...status(EXIT.badInput, 'A file cannot be analyzed, read or written.'),
    ...status(EXIT.usage, 'Wrong usage.'),
    ...status(EXIT.internal, 'Internal error.'),
    ...status(EXIT.interrupted, 'Ctrl+C.'),
  ); // prettier-ignore
  return `${parts.join('\n')}\n`;
}

/** They stand once, at the end. */
const GENERAL_WORDS = new Set(['output', 'color', 'ascii', 'debug', 'quiet']);

function flag(name: string, { alias, type, choices }: Options): string {
  const short = typeof alias === 'string' ? `${bold(`-${alias}`)}, ` : '';
  const value = choices === undefined ? (type === 'boolean' ? '' : ' \\fIVALUE\\fR') : ` \\fI${roff(choices.join('|'))}\\fR`;
  return `${short}${bold(`--${name}`)}${value}`;
}

const status = (code: number, what: string): string[] => ['.TP', bold(String(code)), roff(what)];
