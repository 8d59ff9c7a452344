/** From a command line to an exit code: picks the command, reads its arguments, runs it, says what went wrong. */

import { existsSync } from 'node:fs';
import type { CommandEntry } from './command.js';
import { endingOf } from './errors.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { Output, writeTo, type Host } from './output.js';
import { readQuickly } from './quick-arguments.js';
import { COMMANDS, DEFAULT_COMMAND } from './registry.js';
import { columnsOf, type Stream } from './terminal.js';

/** Runs a command line (without `node` and the program) and gives the exit code. Never throws. */
export async function run(args: readonly string[], host: Host): Promise<ExitCode> {
  const { entry, rest } = pick(args.map(windowsHelp));
  try {
    return await (entry === null ? runProgram(rest, host) : runCommand(entry, rest, host));
  } catch (error) {
    const debug = (host.env['DUMPLEAK_DEBUG'] ?? '') !== '' || args.includes('--debug');
    const { code, text } = endingOf(error, entry?.name ?? null, debug);
    await writeTo(host.stderr, text);
    return code;
  }
}

/** `/?` is how Windows asks for help. */
const windowsHelp = (arg: string): string => (arg === '/?' || arg === '-?' ? '--help' : arg);

async function runCommand(entry: CommandEntry, args: readonly string[], host: Host): Promise<ExitCode> {
  const { command } = await entry.load();
  let values = readQuickly(args, command);
  if (values === null) {
    const { readCommand } = await import('./yargs-arguments.js');
    const reading = readCommand(args, entry, command, columnsOf(host.stdout));
    if ('text' in reading) return show(reading.text, host.stdout, EXIT.done);
    values = { ...reading.values };
  }
  return command.run(values, new Output(host, values), host);
}

/** A line without a command: help, the version, or an error. */
async function runProgram(args: readonly string[], host: Host): Promise<ExitCode> {
  const { readProgram } = await import('./yargs-arguments.js');
  const columns = columnsOf(host.stdout);
  // A bare `dumpleak` wants to know how to go on; a script that calls it so has made a mistake.
  if (args.length === 0) return show(readProgram(['--help'], COMMANDS, columns), host.stderr, EXIT.usage);
  return show(readProgram(args, COMMANDS, columns), host.stdout, EXIT.done);
}

async function show(text: string, stream: Stream, code: ExitCode): Promise<ExitCode> {
  await writeTo(stream, text);
  return code;
}

/** General options whose value is the next word. */
const WITH_VALUE = new Set(['--output', '-o', '--symbols', '--symbol-server', '--profiles']);

/** The command that a line means and what follows it; null for a line without one. */
function pick(args: readonly string[]): { entry: CommandEntry | null; rest: readonly string[] } {
  const at = args.findIndex((arg, i) => !arg.startsWith('-') && !WITH_VALUE.has(args[i - 1] ?? ''));
  const word = args[at];
  if (word === undefined) return { entry: null, rest: args };
  if (word === 'help') return pickHelp(args.toSpliced(at, 1));
  const named = find(word);
  if (named !== null) return { entry: named, rest: args.toSpliced(at, 1) };
  return looksLikeFile(word) ? { entry: find(DEFAULT_COMMAND), rest: args } : { entry: null, rest: args };
}

/** `help` and `help COMMAND`. */
function pickHelp(args: readonly string[]): ReturnType<typeof pick> {
  const entry = find(args.find((arg) => !arg.startsWith('-')) ?? '');
  return { entry, rest: ['--help'] };
}

const find = (name: string): CommandEntry | null => COMMANDS.find((entry) => entry.name === name) ?? null;

const looksLikeFile = (word: string): boolean => /[\\/.*?]/.test(word) || existsSync(word);
