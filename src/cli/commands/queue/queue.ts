/** `dumpleak queue status|retry|cancel`: what stands in the queue of a shared history, and what becomes of it. */

import { isHistoryError } from '../../../batch/journal/history-error.js';
import type { DeadLetter, QueueState } from '../../../batch/queue/queue-state.js';
import type { Server } from '../../../batch/store/server/server.js';
import { defineCommand } from '../../command.js';
import { FileError, UsageError } from '../../errors.js';
import { EXIT } from '../../exit-codes.js';
import { GROUP, jsonOption, rowCount } from '../../options/options.js';
import { requireStore, STORE, type StoreArguments } from '../../options/store-options.js';
import type { Host } from '../../terminal/output.js';
import { printable } from '../../../../parsers/text-safety.js';

const MOST = 20;
const STORE_NAME = 'postgres://dumpleak@db/dumpleak';

const positionals = {
  dumps: { describe: 'Parts of their paths, or ids of dead letters', kind: 'list' },
} as const;
const ALL = { type: 'boolean', describe: 'All of them', group: GROUP.what } as const;

export const status = defineCommand({
  positionals: {},
  options: {
    ...STORE,
    top: {
      type: 'number',
      requiresArg: true,
      coerce: rowCount,
      describe: `Dead letters that are listed (${MOST})`,
      group: GROUP.output,
    },
    json: jsonOption('Write it as JSON'),
  },
  examples: [
    [`queue status --store ${STORE_NAME}`, 'what waits, what is read and by whom, dead letters with their reasons'],
    ['queue status --json --store-file store.txt', 'the same for programs'],
  ],
  run: async (args, output, host) =>
    onQueue(args, host, async (server, words) => {
      const { queueState } = await import('../../../batch/queue/queue-state.js');
      const state = await queueState(server, args.top ?? MOST);
      if (args.json === true) await output.json(`${JSON.stringify({ store: words, ...state }, null, 2)}\n`);
      else await output.text(statusText(words, state));
    }),
});

export const retry = defineCommand({
  positionals,
  options: { ...STORE, all: ALL, json: jsonOption('Write their places as JSON') },
  examples: [
    [`queue retry --all --store ${STORE_NAME}`, 'all dead letters, and what waits for its next try'],
    [`queue retry fs01/MEMORY.DMP --store ${STORE_NAME}`, 'those with this in their path'],
  ],
  run: async (args, output, host) =>
    onQueue(args, host, async (server) => {
      const { retryDumps } = await import('../../../batch/queue/queue-state.js');
      await tell(await retryDumps(server, chosenBy(args)), 'in the queue again', args.json === true, output);
    }),
});

export const cancel = defineCommand({
  positionals,
  options: {
    ...STORE,
    all: ALL,
    dead: { type: 'boolean', describe: 'Dead letters, not what waits', group: GROUP.what },
    json: jsonOption('Write their places as JSON'),
  },
  examples: [
    [`queue cancel fs01/ --store ${STORE_NAME}`, 'take out what waits with this in its path'],
    [`queue cancel --dead --all --store ${STORE_NAME}`, 'forget all dead letters; the history keeps why they failed'],
  ],
  run: async (args, output, host) =>
    onQueue(args, host, async (server) => {
      const { cancelDumps } = await import('../../../batch/queue/queue-state.js');
      const places = await cancelDumps(server, chosenBy(args), args.dead === true);
      await tell(places, 'taken out of the queue', args.json === true, output);
    }),
});

function chosenBy({ dumps, all }: { readonly dumps: readonly string[]; readonly all?: boolean | undefined }) {
  if (all === true && dumps.length > 0) throw new UsageError('--all takes all: name no dumps beside it');
  if (all !== true && dumps.length === 0) throw new UsageError('name dumps by a part of their paths, or say --all');
  return all === true ? null : dumps;
}

async function onQueue(args: StoreArguments, host: Host, work: (server: Server, words: string) => Promise<void>) {
  const address = await requireStore(args, host.env);
  for (const note of address.notes) host.stderr.write(`note  ${note}\n`);
  const { Server: Servers } = await import('../../../batch/store/server/server.js');
  const { DumpQueue } = await import('../../../batch/queue/dump-queue.js');
  try {
    const server = await Servers.open(address);
    try {
      const queue = await DumpQueue.open(server);
      await work(server, address.words);
      await queue.close();
    } finally {
      await server.close();
    }
    return EXIT.done;
  } catch (error) {
    if (isHistoryError(error)) throw new FileError(error.message);
    throw error;
  }
}

async function tell(
  places: readonly string[],
  what: string,
  json: boolean,
  output: { text(text: string): Promise<void>; json(text: string): Promise<void> },
): Promise<void> {
  if (json) await output.json(`${JSON.stringify({ dumps: places }, null, 2)}\n`);
  else {
    const count = `${places.length} ${places.length === 1 ? 'dump is' : 'dumps are'} ${what}`;
    await output.text([count, ...places.map((place) => `  ${printable(place)}`)].map((line) => `${line}\n`).join(''));
  }
}

function statusText(words: string, { queue, done, deadLetters, workers }: QueueState): string {
  const { waiting, delayed, unseen, reading, dead, oldestSeconds } = queue;
  const lines = [
    `Queue of ${words}`,
    `  waiting   ${waiting}${oldestSeconds === null ? '' : `, the oldest for ${ageText(oldestSeconds)}`}`,
    `  delayed   ${delayed} until their next try`,
    `  reading   ${reading}`,
    `  dead      ${dead}`,
    `  done      ${done.leak + done.noLeak + done.undecided} in the last hours: ${done.leak} suspected leaks, ${done.undecided} not decided; ${done.failed} could not be read, ${done.passed} were no dumps`,
  ];
  if (unseen > 0) lines.push(`  ${unseen} were looked for by a host that does not see them (--map)`);
  lines.push('', workers.length === 0 ? 'No worker is there' : 'Workers:');
  for (const { host, pid, jobs, reading: has } of workers) {
    lines.push(`  ${host} (process ${pid}): has ${has}, ${jobs} at a time`);
  }
  if (deadLetters.length > 0) lines.push('', 'Dead letters:', ...deadLetters.flatMap(letterLines));
  if (deadLetters.length < dead) lines.push(`  ... and ${dead - deadLetters.length} more (--top)`);
  return lines.map((line) => `${printable(line)}\n`).join('');
}

const letterLines = ({ dump, why, deaths, lost, at }: DeadLetter): string[] => [
  `  ${dump}`,
  `    since ${at}: ${why}`,
  `    tries that ended its process: ${deaths.length}${lost === 0 ? '' : `, workers lost with it: ${lost}`}`,
];

function ageText(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
