/** The commands of `dumpleak history` that change it: delete, prune, rebuild. */

import { resolve } from 'node:path';
import type { Options } from 'yargs';
import { History, type DumpRecord } from '../../../batch/journal/history.js';
import { expired, remove } from '../../../batch/journal/retention.js';
import { table } from '../../../report/csv.js';
import { counted } from '../../../views/print/format.js';
import { defineCommand } from '../../command.js';
import { FileError, UsageError } from '../../errors.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { milliseconds } from '../../options/growth-inputs.js';
import { GROUP } from '../../options/options.js';
import type { Host, Output } from '../../terminal/output.js';
import { STORE } from '../../options/store-options.js';
import { FOLDER, FORMS, noMore, withHistory, type Given, type Place } from './place.js';

const DRY_RUN = {
  type: 'boolean',
  describe: 'Only say what would go',
  group: GROUP.what,
} as const satisfies Options;

type Choice = Parameters<typeof remove>[2];

interface Changing extends Given {
  readonly 'dry-run'?: boolean | undefined;
}

async function forget(
  given: Changing,
  output: Output,
  host: Host,
  choose: (words: readonly string[]) => Choice,
): Promise<ExitCode> {
  return withHistory(given, host, async (place, words, notes) => {
    const dry = given['dry-run'] === true;
    const removed = dry
      ? { places: pathsOf(choose(words)(await load(place))), notes: [] }
      : place.kind === 'folder'
        ? remove(place.history, place.out, choose(words))
        : { places: pathsOf(await place.shared.remove(choose(words))), notes: [] };
    notes.push(...removed.notes);
    const gone = removed.places;
    if (given.json === true) await output.json(`${JSON.stringify(gone, null, 2)}\n`);
    else if (given.csv === true) await output.text(table('', ['place'], gone.map((path) => [path])).text); // prettier-ignore
    else await output.text(`${counted(gone.length, 'dump')} ${dry ? 'would go' : 'forgotten'}\n${gone.map((path) => `  ${path}\n`).join('')}`); // prettier-ignore
    return EXIT.done;
  });
}

const pathsOf = (records: readonly DumpRecord[]): string[] => records.map(({ place }) => place);

const load = async (place: Place): Promise<History> =>
  place.kind === 'folder' ? History.load(place.history) : place.shared.load();

/** The dumps that were named. Throws FileError for a word that means none or several. */
function named(words: readonly string[]): Choice {
  return (history) => {
    const records = history.records();
    return words.map((word) => {
      const [found, ...more] = records.filter(
        ({ id, places }) => (word.length >= 4 && id.startsWith(word)) || places.includes(word) || places.includes(resolve(word)),
      ); // prettier-ignore
      if (found === undefined) throw new FileError(`the history holds no dump ${word}: nothing was changed`);
      if (more.length > 0) throw new FileError(`${word} means ${more.length + 1} dumps: nothing was changed`);
      return found;
    });
  };
}

export const deleteDumps = defineCommand({
  positionals: { folder: FOLDER, dumps: { describe: 'By id or path', kind: 'list' } },
  options: { 'dry-run': DRY_RUN, ...FORMS },
  examples: [
    ['history delete report 3f2a9c01 --dry-run', 'what would go'],
    ['history delete report 3f2a9c01', 'forget a dump, in every file of the history'],
  ],
  run: async (args, output, host) => {
    return forget({ ...args, words: [args.folder, ...args.dumps] }, output, host, (words) => {
      if (words.length === 0) throw new UsageError('name dumps, by id or path');
      return named(words);
    });
  },
});

export const prune = defineCommand({
  positionals: { folder: FOLDER },
  options: {
    'older-than': {
      type: 'string',
      requiresArg: true,
      describe: 'Forget dumps that are older, as 90d or 12h',
      group: GROUP.what,
      coerce: milliseconds('--older-than'),
    },
    keep: {
      type: 'number',
      requiresArg: true,
      coerce: (value: unknown) => {
        if (!(Number.isSafeInteger(value) && Number(value) >= 0)) throw new Error('--keep wants a number of dumps');
        return Number(value);
      },
      describe: 'Forget all but so many of the newest dumps of every machine',
      group: GROUP.what,
    },
    'dry-run': DRY_RUN,
    ...FORMS,
  },
  examples: [
    ['history prune report --older-than 90d', 'forget what is older than 90 days'],
    ['history prune report --keep 10 --dry-run', 'say what is beyond ten dumps a machine'],
  ],
  run: async (args, output, host) => {
    const { 'older-than': age, keep } = args;
    if (age === undefined && keep === undefined) throw new UsageError('say what goes with --older-than or --keep');
    const before = age === undefined ? undefined : Date.now() - age;
    return forget({ ...args, words: [args.folder] }, output, host, (words) => {
      noMore(words);
      return (history) => expired(history, { before, keep });
    });
  },
});

export const rebuild = defineCommand({
  positionals: { folder: FOLDER },
  options: STORE,
  examples: [
    ['history rebuild report', 'make the database again from the journal'],
    ['history rebuild report/history', 'the same by the folder of the history'],
  ],
  run: async (args, output, host) =>
    withHistory({ ...args, words: [args.folder] }, host, async (place, words, notes) => {
      noMore(words);
      if (place.kind === 'server') {
        await place.shared.rebuild();
        await output.text('The tables were made again from the results\n');
        return EXIT.done;
      }
      const { Store } = await import('../../../batch/store/store.js');
      await Store.remove(place.history);
      const store = await Store.open(place.history);
      if (store.damage !== null) notes.push(store.damage);
      await store.close();
      await output.text('The store was made again from the journal\n');
      return EXIT.done;
    }),
});
