/** The text of `dumpleak profile list`. */

import { printable } from '../../../parsers/text-safety.js';
import { counted } from '../../views/print/format.js';
import { asciiOnly, bullets, createStyle, heading, type StyleOptions } from '../../views/print/style.js';

/** A profile in the list. */
export interface ListedProfile {
  /** Null for one that is built in. */
  readonly file: string | null;
  /** `10.0.22621.3007`; null where the profile does not say. */
  readonly version: string | null;
  /** An IMAGE_FILE_MACHINE value, or null. */
  readonly machine: number | null;
  readonly pdb: { readonly name: string; readonly guid: string; readonly age: number };
}

/** The object of `profile list --json`. */
export interface ProfileList {
  /** Empty for the built-in ones. */
  readonly folders: readonly string[];
  readonly profiles: readonly ListedProfile[];
  readonly problems: readonly { readonly file: string; readonly message: string }[];
}

const WIDTH = 18;

/** The report, ended by a line feed. */
export function renderProfileList(list: ProfileList, options: StyleOptions = {}): string {
  const style = createStyle(options);
  const { folders, profiles, problems } = list;
  const where = folders.length === 0 ? 'built in' : `in ${folders.map(printable).join(', ')}`;
  const lines = [
    heading(`${counted(profiles.length, 'profile')} ${where}`, style),
    ...profiles.map(({ version, pdb, file }) =>
      printable(
        `  ${(version ?? 'version not known').padEnd(WIDTH)} ${pdb.name} ${pdb.guid} ${pdb.age}${file === null ? '' : `  ${file}`}`,
      ),
    ),
  ];
  if (problems.length > 0) {
    lines.push('', heading('Files that cannot be used', style));
    lines.push(
      ...bullets(
        problems.map(({ file, message }) => printable(`${file}: ${message}`)),
        style,
      ),
    );
  }
  const text = `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
  return style.ascii ? asciiOnly(text) : text;
}
