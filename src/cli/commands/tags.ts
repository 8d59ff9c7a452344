/** `dumpleak tags`: which driver files hold a tag, or all tags that drivers allocate under, without a dump. */

import { listTags } from '../../analysis/driver-files/list.js';
import { searchDrivers } from '../../analysis/driver-files/search.js';
import type { FilesSearched } from '../../analysis/driver-files/each.js';
import { typedTag } from '../../result/tag.js';
import { renderLocalTag } from '../../report/driver-files/localtag.js';
import {
  renderTaggedFiles,
  renderTaggedFilesCsv,
  renderTaggedFilesJson,
} from '../../report/driver-files/tagged-files.js';
import type { Warning } from '../../result/result.js';
import { defineCommand } from '../command.js';
import { FileError, UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import { FOLLOW_LINKS, GROUP, jsonOption, QUIET } from '../options/options.js';
import { writeTo } from '../terminal/output.js';
import { withPaths } from '../options/paths.js';
import { writeWhole } from '../terminal/write-file.js';

export const command = defineCommand({
  positionals: {
    paths: { describe: 'Drivers (also compressed, .sy_), folders with all below them, or symbol stores', kind: 'list' },
  },
  options: {
    tag: {
      type: 'array',
      string: true,
      requiresArg: true,
      describe: 'The tag: up to four characters, or 0x and its number; may be given several times',
      group: GROUP.what,
    },
    localtag: {
      type: 'boolean',
      describe: 'List all tags that the drivers pass to allocators, as a localtag.txt for poolmon',
      group: GROUP.what,
    },
    'follow-links': FOLLOW_LINKS,
    json: jsonOption('Write the files and their evidence as JSON'),
    csv: {
      type: 'string',
      requiresArg: true,
      describe: 'Also write a table with a row an evidence to this file',
      group: GROUP.output,
    },
    ...QUIET,
  },
  examples: [
    ['tags C:\\Windows\\System32\\drivers --tag Leak', 'which drivers allocate under the tag'],
    ['tags drivers myfault.sy_ --tag Leak --tag 0x6b61654c --json', 'several places and tags, for programs'],
    ['tags C:\\Windows\\System32\\drivers --localtag -o localtag.txt', 'all tags of all drivers, for poolmon'],
  ],
  run: async (args, output, host) => {
    const { paths, tag = [], localtag = false, csv, json = false } = args;
    if (paths.length === 0) throw new UsageError('tags wants drivers or folders to read');
    if (tag.length > 0 === localtag) throw new UsageError('give tags with --tag, or --localtag for a list of all');
    if (localtag && (json || csv !== undefined)) throw new UsageError('--json and --csv belong to --tag');
    const follow = args['follow-links'] === true;
    const keys = [...new Set(tag.map(keyOf))];
    if (localtag) {
      const list = withPaths(paths, [], args, host, (files, progress) => listTags(files, progress, follow));
      requireDrivers(list, paths);
      const [hidden] = list.warnings.filter(({ code }) => code === 'processor-not-supported');
      if (list.tags.length === 0 && hidden !== undefined) throw new FileError(hidden.message);
      if (list.tags.length === 0 && list.incomplete > 0) {
        throw new FileError('no tag could be told from the code of these drivers: parts of it could not be read');
      }
      await output.text(renderLocalTag(list));
      for (const { message } of list.warnings) await writeTo(host.stderr, `dumpleak: ${message}\n`);
      return EXIT.done;
    }
    const found = withPaths(paths, [csv], args, host, (files, progress) =>
      searchDrivers(files, keys, progress, follow),
    );
    requireDrivers(found, paths);
    if (csv !== undefined) writeWhole(csv, renderTaggedFilesCsv(found));
    if (json) await output.json(renderTaggedFilesJson(found));
    else await output.text(renderTaggedFiles(found, output.style));
    return EXIT.done;
  },
});

function keyOf(text: string): number {
  const key = typedTag(text);
  if (key === null) throw new UsageError(`--tag ${text}: a tag has up to four characters, or is 0x and its number`);
  return key;
}

/** Nothing read is nothing known: that must not pass for "no driver has the tag". */
function requireDrivers(read: { searched: FilesSearched; warnings: Warning[] }, paths: readonly string[]): void {
  if (read.searched.files > 0) return;
  const [first, ...more] = read.warnings.map(({ message }) => message);
  if (first === undefined) throw new FileError(`${paths.join(', ')}: no driver is there`);
  throw new FileError(more.length === 0 ? first : `${first} (and ${more.length} more files that could not be read)`);
}
