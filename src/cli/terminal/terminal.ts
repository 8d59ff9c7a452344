/** What the console can show: colour, columns, characters outside ASCII. Decided from streams and environment alone. */

/** Environment variables, as process.env has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What is asked of stdout and stderr; process.stdout and process.stderr are such. */
export interface Stream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string, done?: (error?: Error | null) => void): boolean;
}

/**
 * Whether to colour: as `--color` or `--no-color` says, else FORCE_COLOR, else NO_COLOR, else on a terminal that is not
 * `dumb`.
 */
export function wantsColor(option: boolean | undefined, env: Environment, stream: Stream): boolean {
  if (option !== undefined) return option;
  const force = env['FORCE_COLOR'];
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false';
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

/** Variables that only consoles set which draw any character, whatever the code page. */
const UNICODE_CONSOLES = ['WT_SESSION', 'TERM', 'TERM_PROGRAM', 'ConEmuPID'];

/**
 * Whether to write ASCII only: as `--ascii` or `--no-ascii` says, else by the locale in LC_ALL, LC_CTYPE or LANG. On
 * Windows, which mostly sets none of them and does not tell the code page of a console, ASCII is for all but the
 * terminals known to draw everything; always for pipes, which PowerShell 5 and cmd read in the old code page.
 */
export function wantsAscii(
  option: boolean | undefined,
  env: Environment,
  platform: NodeJS.Platform,
  stream: Stream,
): boolean {
  if (option !== undefined) return option;
  const locale = ['LC_ALL', 'LC_CTYPE', 'LANG'].map((name) => env[name] ?? '').find((value) => value !== '');
  if (locale !== undefined && /utf-?8/i.test(locale)) return false;
  if (platform !== 'win32' || stream.isTTY !== true) return true;
  return UNICODE_CONSOLES.every((name) => (env[name] ?? '') === '');
}

/** Columns of a terminal; undefined where there is none. */
export function columnsOf(stream: Stream): number | undefined {
  return stream.isTTY === true && (stream.columns ?? 0) > 0 ? stream.columns : undefined;
}
