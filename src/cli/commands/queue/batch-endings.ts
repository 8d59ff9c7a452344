/** How batches end: by a signal, and with which exit code. */

import { join } from 'node:path';
import { renderBatchSummary } from '../../../batch/outputs/summary-text.js';
import type { BatchReport } from '../../../batch/run.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { onEndingSignals } from '../../interrupt.js';
import { openPage } from '../../terminal/open-page.js';
import type { Host, Output } from '../../terminal/output.js';

/** Ctrl+C, an ended session or a closed console stops the batch in order; a second one at once. */
export function stopOnSignals(stop: AbortController, told: () => void): () => void {
  const handle = (code: ExitCode) => () => {
    if (stop.signal.aborted) process.exit(code);
    told();
    stop.abort();
  };
  return onEndingSignals(handle);
}

/** Options that make a verdict the exit code. */
export interface FailOn {
  readonly 'fail-on-leak'?: boolean | undefined;
  readonly 'fail-on-undecided'?: boolean | undefined;
}

/** Says what a batch came to, shows its page where that is asked for, and gives the exit code. */
export async function finishBatch(
  report: BatchReport,
  { out, open, ...on }: FailOn & { readonly out?: string | undefined; readonly open?: boolean | undefined },
  output: Output,
  host: Host,
): Promise<ExitCode> {
  await output.text(renderBatchSummary(report, out ?? null));
  if (open === true && out !== undefined) await openPage(join(out, 'index.html'), host);
  return batchExitCode(report, on);
}

function batchExitCode({ counts, interrupted, leakSuspected, undecided }: BatchReport, on: FailOn): ExitCode {
  if (interrupted) return EXIT.interrupted;
  const read = counts.analyzed + counts.known - counts.knownFailures;
  if (read === 0) return EXIT.badInput;
  const fails = (on['fail-on-leak'] === true && leakSuspected) || (on['fail-on-undecided'] === true && undecided > 0);
  return fails ? EXIT.leak : EXIT.done;
}
