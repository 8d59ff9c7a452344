/** `dumpleak report`: the pages of a history, made from what it keeps. */

import { join, resolve } from 'node:path';
import { History } from '../../batch/journal/history.js';
import { overviewOf } from '../../batch/outputs/overview.js';
import { writeMetrics } from '../../batch/outputs/outputs.js';
import { writeReport, type ReportSource } from '../../batch/outputs/report.js';
import { defineCommand } from '../command.js';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import { METRICS, outOption } from '../options/options.js';
import { STORE } from '../options/store-options.js';
import { checkWritable, makeFolder } from '../terminal/write-file.js';
import { FOLDER, noMore, withHistory, type Place } from './history/place.js';

export const command = defineCommand({
  positionals: { folder: FOLDER },
  options: {
    ...STORE,
    out: outOption('Folder for the pages: index.html, pages, groups.json'),
    metrics: METRICS,
  },
  examples: [
    ['report --store postgres://reader@db.example.net/dumps --out report', 'the pages of a shared history'],
    ['report share/report/history --out pages', 'those of a history in a folder'],
  ],
  run: async (args, output, host) => {
    const { out, metrics } = args;
    if (out === undefined) throw new UsageError('say where the pages go with --out FOLDER');
    if (metrics !== undefined) checkWritable(metrics);
    return withHistory({ ...args, words: [args.folder] }, host, async (place, words, notes) => {
      noMore(words);
      if (place.kind === 'folder' && place.out !== null && place.out === resolve(out)) {
        throw new UsageError(`${out} is the folder of a batch, which writes its pages itself: name another with --out`);
      }
      makeFolder(out);
      const now = new Date();
      const source = await sourceOf(place, notes);
      const { made, removed, notes: told } = await writeReport(out, source, now);
      notes.push(...told);
      if (metrics !== undefined) notes.push(...writeMetrics(metrics, source.overview, now));
      const { records } = source.overview;
      const gone = removed === 0 ? '' : `, ${removed} removed`;
      await output.text(`${made} of ${records.length} pages made${gone}\nReport: ${join(out, 'index.html')}\n`);
      return EXIT.done;
    });
  },
});

async function sourceOf(place: Place, notes: string[]): Promise<ReportSource> {
  if (place.kind === 'folder') {
    const history = History.load(place.history);
    if (history.damage !== null) notes.push(history.damage);
    return {
      overview: overviewOf(history),
      read: (records) => Promise.resolve(records.map((record) => history.entryOf(record))),
    };
  }
  const { shared } = place;
  const damage = await shared.damage();
  if (damage !== null) notes.push(damage);
  return { overview: await shared.overview(), read: async (records) => shared.read(records) };
}
