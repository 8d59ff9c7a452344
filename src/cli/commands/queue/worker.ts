/** `dumpleak worker`: takes dumps from the queue of a shared history. */

import { isHistoryError } from '../../../batch/journal/history-error.js';
import { readHealthAddress } from '../../../batch/queue/health-address.js';
import { defineCommand } from '../../command.js';
import { FileError } from '../../errors.js';
import { EXIT } from '../../exit-codes.js';
import { onEndingSignals } from '../../interrupt.js';
import { milliseconds } from '../../options/growth-inputs.js';
import { GROUP, QUIET } from '../../options/options.js';
import { MAP } from '../../options/queue-options.js';
import { ABOUT, askedKey, BESIDE, MINUTE, PROCESSES, readingMany, WORK } from '../../options/reading-many.js';
import { requireStore, STORE } from '../../options/store-options.js';
import { WorkLog } from '../../terminal/work-log.js';

export const command = defineCommand({
  positionals: {},
  options: {
    ...STORE,
    ...ABOUT,
    ...PROCESSES,
    drain: { type: 'boolean', describe: 'End when the queue is empty', group: WORK },
    map: MAP,
    grace: {
      type: 'string',
      requiresArg: true,
      coerce: milliseconds('--grace'),
      describe: 'Told to end (SIGTERM), give back after so long what is not read to its end (25s)',
      group: WORK,
    },
    lease: {
      type: 'string',
      requiresArg: true,
      coerce: milliseconds('--lease'),
      describe: 'So long after its last sign of life others take over what this worker had (1m)',
      group: WORK,
    },
    health: {
      type: 'string',
      requiresArg: true,
      coerce: (value: unknown) => {
        const address = readHealthAddress(String(value));
        if (address === null)
          throw new Error('--health wants a port, as 9090, or an address and a port, as 0.0.0.0:9090');
        return address;
      },
      describe: 'Serve /healthz, /readyz and /metrics at this port of this machine; at 0.0.0.0:PORT for others too',
      group: GROUP.output,
    },
    log: {
      type: 'string',
      choices: ['text', 'ndjson'] as const,
      requiresArg: true,
      describe: 'What is told on stderr: text, or NDJSON; without it text on a terminal, else NDJSON',
      group: GROUP.output,
    },
    ...BESIDE,
    ...QUIET,
  },
  examples: [
    ['worker --store postgres://dumpleak@db/dumpleak', 'work until it is told to end'],
    ['worker --store postgres://dumpleak@db/dumpleak --drain --jobs 4', 'four at a time, until the queue is empty'],
    ['worker --store-file store.txt --map //server/dumps=/mnt/dumps', 'dumps that lie elsewhere here'],
  ],
  run: async (args, output, host) => {
    const address = await requireStore(args, host.env);
    const reading = await readingMany(args, host);
    const form = args.log ?? (host.stderr.isTTY === true ? 'text' : 'ndjson');
    const log = new WorkLog(host.stderr, { form, quiet: args.quiet === true, ascii: output.style.ascii === true });
    for (const note of address.notes) log.note(note);
    const stop = new AbortController();
    const release = onEndingSignals((code) => () => {
      if (stop.signal.aborted) process.exit(code);
      log.stopping();
      stop.abort();
    });
    const { runWorker } = await import('../../../batch/queue/run-worker.js');
    try {
      const left = await runWorker({
        ...{ address, ...reading, redact: askedKey(args), mappings: args.map ?? [] },
        ...{ drain: args.drain === true, graceMs: args.grace ?? 25_000, leaseMs: args.lease ?? MINUTE },
        ...{ stop: stop.signal, events: log },
        health: args.health ?? null,
        started: (queue, port) => {
          log.started(address.words, queue.worker, reading.jobs);
          if (port !== null) log.listening(port);
        },
      });
      if (left > 0) {
        log.note(`${left} dumps are left in the queue, for this host does not see their files: say with --map where they lie here, or start a worker on a host that sees them`); // prettier-ignore
      }
      log.ended();
      return left > 0 ? EXIT.badInput : EXIT.done;
    } catch (error) {
      if (isHistoryError(error)) throw new FileError(error.message);
      throw error;
    } finally {
      release();
    }
  },
});
