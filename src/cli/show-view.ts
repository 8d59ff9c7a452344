/** A view as a command of the shell: its words checked, what it reads read, and written as text or JSON. */

import type { DumpInfo, Warning } from '../result/result.js';
import { renderPart } from '../views/print/part-json.js';
import {
  isWrong,
  type DumpSource,
  type StreamedView,
  type TagLists,
  type View,
  type WrongWords,
} from '../views/view.js';
import { UsageError } from './errors.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { onEndingSignals } from './interrupt.js';
import type { Host, Output } from './terminal/output.js';
import { readDump, type DumpArguments } from './read-dump.js';

/** What words ask for. Throws UsageError for words that the view cannot read. */
export function wanted<Wanted>(read: Wanted | WrongWords): Wanted {
  if (isWrong(read)) throw new UsageError(read.error);
  return read;
}

/** Shows a view of a dump. `change` is what is done to what was read before it is shown. */
export async function showDump<Wanted, Result extends { dump: DumpInfo; warnings: Warning[] }>(
  view: View<Wanted, Result>,
  asked: Wanted,
  args: DumpArguments & { readonly json?: boolean | undefined },
  { output, host, lists, change }: Shown & { change?: (result: Result) => Promise<Result> },
): Promise<ExitCode> {
  const read = await readDump(args, host, (opened, progress) => {
    const source: DumpSource = { opened, progress, lists };
    return view.read(source, asked);
  });
  return write(view, asked, change === undefined ? read : await change(read), args.json === true, output);
}

/**
 * Shows a view of a dump whose rows come as they are found; a signal ends the reading, and what was found stays. Gives what is
 * known at the end.
 */
export async function showRows<Wanted, Result extends End, End>(
  view: StreamedView<Wanted, Result, End>,
  asked: Wanted,
  args: DumpArguments & { readonly json?: boolean | undefined },
  { output, host, lists }: Shown,
): Promise<End> {
  let stopped = false;
  const release = onEndingSignals(() => () => {
    stopped = true;
  });
  try {
    return await readDump(args, host, async (opened, progress) => {
      const source: DumpSource = { opened, progress, lists, stopped: () => stopped };
      if (args.json === true) {
        const result = await view.read(source, asked);
        await output.json(renderPart(view.json(result, asked)));
        return result;
      }
      const pieces = view.pieces(source, asked);
      for (;;) {
        const piece = await pieces.next();
        if (piece.done === true) {
          await output.end();
          return piece.value;
        }
        await output.part(piece.value);
      }
    });
  } finally {
    release();
  }
}

/** Where a view is shown, and by which lists of tags. */
export interface Shown {
  readonly output: Output;
  readonly host: Host;
  readonly lists?: TagLists | undefined;
}

/** Writes what a view has read. */
export async function write<Wanted, Result>(
  view: Pick<View<Wanted, Result>, 'text' | 'json'>,
  asked: Wanted,
  result: Result,
  json: boolean,
  output: Output,
): Promise<ExitCode> {
  if (json) await output.json(renderPart(view.json(result, asked)));
  else await output.text(view.text(result, asked, output.style));
  return EXIT.done;
}
