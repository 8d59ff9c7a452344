/** `.process`: whose memory commands look at. */

import { failed } from '../../../parsers/bytes/failure.js';
import { TranslatedMemory } from '../../../parsers/paging/translated-memory.js';
import { printable } from '../../../parsers/text-safety.js';
import { processPlaces } from '../../kernel/processes/process-spaces.js';
import type { Call, KdCommand } from '../command.js';
import { KdError } from '../kd-error.js';
import { currentProcess } from '../stack/current.js';

/** They have symbols of user mode loaded, or page tables used again: nothing here depends on them. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set(['/p', '/P', '/r']);

async function setProcess({ session, words }: Call): Promise<void> {
  const options = words.filter((word) => word.startsWith('/'));
  const unknown = options.find((word) => !WITHOUT_EFFECT.has(word));
  if (unknown !== undefined) throw new KdError(`.process ${printable(unknown)} is not here: .process takes /p, /P, /r and an address`); // prettier-ignore
  const text = words.filter((word) => !word.startsWith('/')).join(' ');
  const wanted = text === '' ? null : session.address(await session.evaluate(text));
  if (wanted === 0n) session.process = null;
  if (wanted === null || wanted === 0n) {
    return session.out.line(`Implicit process is now ${session.show(await currentProcess(session))}`);
  }
  const { memory } = session.opened.kernel;
  const place = memory instanceof TranslatedMemory ? processPlaces(session.opened.kernel, memory).find(({ address }) => address === wanted) : undefined; // prettier-ignore
  if (place === undefined || !(memory instanceof TranslatedMemory)) {
    const isThere = memory !== null && !failed(memory.readPointer(wanted));
    const why = isThere ? 'is no process of the list whose page tables are in the dump' : 'is not in the dump';
    throw new KdError(`Process ${session.show(wanted)} ${why}`, 'input');
  }
  session.process = { address: wanted, memory: memory.rootedAt(place.root) };
  return session.out.line(`Implicit process is now ${session.show(wanted)}`);
}

export const processContext: KdCommand = {
  names: ['.process'],
  usage: ['.process [/p] [/r] [Address]'],
  summary: 'Has commands look at the memory of a process, by its address; 0 goes back; alone, which one is current',
  flags: [
    ['/p', 'as without it: page tables are always those of the process; /P too'],
    ['/r', 'as without it: symbols of user mode are not read'],
  ],
  standing: 'differs',
  differs:
    'Before it is used, memory is seen as the kernel sees it, not as the current process does. It is a process by its address; of those that share page tables, the first.',
  run: setProcess,
};
