/** `--redact` and `--redact-key`: reports without the names of people and places. */

import type { Options } from 'yargs';
import type { Redactor } from '../../redact/redactor.js';
import { GROUP } from './options.js';

export const REDACT = {
  redact: {
    type: 'boolean',
    describe: 'Replace the names of machines, users, folders and files by pseudonyms (docs/privacy.md)',
    group: GROUP.output,
  },
  'redact-key': {
    type: 'string',
    requiresArg: true,
    describe: 'The same with this key, a file or a text: the same names get the same pseudonyms in every run',
    group: GROUP.output,
  },
} as const satisfies Record<string, Options>;

interface RedactArguments {
  readonly redact?: boolean | undefined;
  readonly 'redact-key'?: string | undefined;
}

/** What redacts the report; null where it is not asked for. Throws InputError for a key that cannot be used. */
export async function redactorFor({ redact, 'redact-key': given }: RedactArguments): Promise<Redactor | null> {
  if (given === undefined && redact !== true) return null;
  const { Redactor } = await import('../../redact/redactor.js');
  const { randomKey, readKey } = await import('../../redact/key.js');
  return given === undefined ? new Redactor(randomKey(), false) : new Redactor(readKey(given), true);
}

/** The files and folders that options name: texts may name them again. */
export function namedFiles(...options: (string | readonly string[] | undefined)[]): string[] {
  return options
    .flatMap((option) => option ?? [])
    .flatMap((text) => text.split(/[;*]/))
    .filter((text) => text.length > 3 && !/^(?:srv|cache|symsrv\.dll)$/i.test(text) && !text.includes('://'));
}
