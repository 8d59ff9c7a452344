/** The lines of results.ndjson: dumps and failures among each other, in natural order of the places. */

import { naturalOrder } from '../../growth/read/file-names.js';
import { renderBatchLine } from '../../report/json.js';
import type { DumpEntry } from '../inputs/entries.js';
import type { DumpRecord, FailureRecord, History } from '../journal/history.js';
import type { Overview } from './overview.js';

type Told = Pick<Overview, 'records' | 'failures'>;

const inOrder = ({ records, failures }: Told): (DumpRecord | FailureRecord)[] =>
  [...records, ...failures].sort((a, b) => naturalOrder(a.place, b.place));

function lineOfDump({ place }: DumpRecord, { result }: DumpEntry): string {
  return renderBatchLine({ ...result, dump: { ...result.dump, path: place }, modules: null });
}

const lineOfFailure = ({ place, code, message }: FailureRecord): string =>
  renderBatchLine({ dump: { path: place }, error: { code, message } });

/** Of a history in a folder. */
export function* renderResultLines(history: History, told: Told): Generator<string> {
  for (const one of inOrder(told)) {
    if ('code' in one) yield lineOfFailure(one);
    else {
      const entry = history.entryOf(one);
      if (entry !== null) yield lineOfDump(one, entry);
    }
  }
}

/** Lines that are read at once. */
const AT_ONCE = 100;

/** Of a history whose lines come from elsewhere; so many at a time that they fit into memory. */
export async function* renderLines(
  history: History,
  read: (records: readonly DumpRecord[]) => Promise<(DumpEntry | null)[]>,
): AsyncGenerator<string> {
  const all = inOrder({ records: history.records(), failures: history.failed() });
  for (let i = 0; i < all.length; i += AT_ONCE) {
    const some = all.slice(i, i + AT_ONCE);
    const dumps = some.flatMap((one) => ('code' in one ? [] : [one]));
    const entries = new Map((await read(dumps)).map((entry, at) => [dumps[at]?.id, entry]));
    for (const one of some) {
      if ('code' in one) yield lineOfFailure(one);
      else {
        const entry = entries.get(one.id) ?? null;
        if (entry !== null) yield lineOfDump(one, entry);
      }
    }
  }
}
