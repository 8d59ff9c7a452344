/** From a command line to an exit code: picks the command, reads its arguments, runs it, says what went wrong. */

import { existsSync } from 'node:fs';
import type { CommandEntry } from './command.js';
import { endingOf, UsageError } from './errors.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { Output, writeTo, type Host } from './terminal/output.js';
import { readArguments } from './arguments/read-arguments.js';
import { COMMANDS, DEFAULT_COMMAND, FAMILIES } from './registry.js';
import { columnsOf, type Stream } from './terminal/terminal.js';
import { VERSION } from '../version.js';

/** Runs a command line (without `node` and the program) and gives the exit code. Never throws. */
export async function run(args: readonly string[], host: Host): Promise<ExitCode> {
  const picked = pick(args.map(asWeSay));
  const { entry, rest } = picked;
  try {
    return await (entry === null ? runProgram(picked.family ?? null, rest, host) : runCommand(entry, rest, host));
  } catch (error) {
    const debug = (host.env['DUMPLEAK_DEBUG'] ?? '') !== '' || args.includes('--debug');
    const { code, text } = endingOf(error, entry?.name ?? picked.family ?? null, debug);
    await writeTo(host.stderr, text);
    return code;
  }
}

/** `/?` is how Windows asks for help, `-V` how others ask for the version, `-cf` how the debugger takes a file of commands. */
const OURS: ReadonlyMap<string, string> = new Map([
  ['/?', '--help'],
  ['-?', '--help'],
  ['-V', '--version'],
  ['-cf', '--command-file'],
]);
const asWeSay = (arg: string): string => OURS.get(arg) ?? arg;

async function runCommand(entry: CommandEntry, args: readonly string[], host: Host): Promise<ExitCode> {
  if (entry.name === DEFAULT_COMMAND) await refuseDebuggerCommand(args);
  const { command } = await entry.load();
  let values = readArguments(args, command);
  if (values === null) {
    const { readCommand } = await import('./arguments/yargs-arguments.js');
    const reading = readCommand(args, entry, command, columnsOf(host.stdout));
    if ('text' in reading) return show(reading.text, host.stdout, EXIT.done);
    values = { ...reading.values };
  }
  return command.run(values, new Output(host, values), host);
}

/**
 * Throws UsageError for a command of the debugger, with how to do it here. Only the first word can be one: what follows may be
 * the value of an option.
 */
async function refuseDebuggerCommand(args: readonly string[]): Promise<void> {
  const [first = ''] = args;
  // What begins like a path may be one of the debugger's: `.bugcheck`, `?`.
  if (first === '' || first.startsWith('-') || looksLikeDump(first) || existsSync(first)) return;
  const { shellHint } = await import('./kd/shell-hint.js');
  const hint = shellHint(args);
  if (hint !== null) throw new UsageError(hint);
}

/** Loads nothing for what is plainly a file. */
const looksLikeDump = (word: string): boolean => /\.\w+$/.test(word) && !/^[.!]\w+$/.test(word);

/** A line without a command: help of the program or a family, the version, or an error. */
async function runProgram(family: string | null, args: readonly string[], host: Host): Promise<ExitCode> {
  if (family === null && args.length === 1 && args[0] === '--version')
    return show(`${VERSION}\n`, host.stdout, EXIT.done);
  const { readProgram } = await import('./arguments/yargs-arguments.js');
  const columns = columnsOf(host.stdout);
  await refuseDebuggerCommand(args);
  // A bare `dumpleak` wants to know how to go on; a script that calls it so has made a mistake.
  if (args.length === 0) return show(readProgram(['--help'], family, columns), host.stderr, EXIT.usage);
  return show(readProgram(args, family, columns), host.stdout, EXIT.done);
}

async function show(text: string, stream: Stream, code: ExitCode): Promise<ExitCode> {
  await writeTo(stream, text);
  return code;
}

/** General options whose value is the next word. */
const WITH_VALUE = new Set(['--output', '-o', '--symbols', '--symbol-server', '--profiles']);

interface Picked {
  readonly entry: CommandEntry | null;
  /** The first word of the commands that the line may mean, where no command is named. */
  readonly family?: string;
  readonly rest: readonly string[];
}

/** The command that a line means and what follows it; null for a line without one. */
function pick(args: readonly string[]): Picked {
  const [at, next] = wordsIn(args);
  const word = args[at ?? -1];
  if (at === undefined || word === undefined) return { entry: null, rest: args };
  if (word === 'version') return { entry: null, rest: ['--version'] };
  if (word === 'help') return pickHelp(args.toSpliced(at, 1));
  if (FAMILIES.has(word)) {
    const named = next === undefined ? null : find(`${word} ${args[next] ?? ''}`);
    if (named !== null && next !== undefined) return { entry: named, rest: args.toSpliced(next, 1).toSpliced(at, 1) };
    return { entry: null, family: word, rest: args.toSpliced(at, 1) };
  }
  const named = find(word);
  if (named !== null) return { entry: named, rest: args.toSpliced(at, 1) };
  return looksLikeFile(word) ? { entry: find(DEFAULT_COMMAND), rest: args } : { entry: null, rest: args };
}

/** Where the words stand in a line that are no options. */
function wordsIn(args: readonly string[]): number[] {
  return args.flatMap((arg, i) => (!arg.startsWith('-') && !WITH_VALUE.has(args[i - 1] ?? '') ? [i] : []));
}

/** `help`, `help COMMAND` and `help FAMILY COMMAND`. */
function pickHelp(args: readonly string[]): Picked {
  const [word = '', second = ''] = args.filter((arg) => !arg.startsWith('-'));
  const entry = find(word) ?? find(`${word} ${second}`);
  return { entry, rest: ['--help'], ...(FAMILIES.has(word) ? { family: word } : {}) };
}

const find = (name: string): CommandEntry | null => COMMANDS.find((entry) => entry.name === name) ?? null;

const looksLikeFile = (word: string): boolean => /[\\/.*?]/.test(word) || existsSync(word);
