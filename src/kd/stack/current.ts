/** The thread and the process that a debugger would take for the current ones: those of the processor that is looked at. */

import { failed } from '../../../parsers/bytes/failure.js';
import { virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { isOnStackOf, type ThreadFields } from '../../kernel/objects/threads.js';
import { KdError } from '../kd-error.js';
import type { Session } from '../session.js';
import { crashedProcessor, processorOf, processorPlace } from './processors.js';

const NAME_ONE = 'name one, as !process 0 2 lists them';

async function threadsOf(session: Session): Promise<readonly ThreadFields[]> {
  const { describeProcesses } = await import('../../analysis/objects/inventory.js');
  return describeProcesses(session.opened, { details: false, threadsOf: () => true, onlyThreads: true }).threads ?? [];
}

/** The processor that crashed where no `_KPRCB` tells: the one that runs the thread on whose stack the registers in the header stand. */
async function crashedByStack(session: Session): Promise<number | null> {
  const stack = session.register('$csp');
  if (stack === null || session.registers.processor !== null) return null;
  const on = (await threadsOf(session)).filter((thread) => isOnStackOf(thread, stack));
  const [only, ...more] = on.flatMap(({ address }) => processorOf(session.opened, address)?.number ?? []);
  return only === undefined || more.length > 0 ? null : only;
}

/** The `_KTHREAD` that runs on the processor that is looked at. Throws KdError where it is not known. */
export async function currentThread(session: Session): Promise<VirtualAddress> {
  const { opened, registers } = session;
  const number = registers.processor ?? crashedProcessor(opened) ?? (await crashedByStack(session));
  if (number === null) throw new KdError(`Which processor crashed is not known: ${NAME_ONE}`, 'input');
  const place = processorPlace(opened, number);
  if (failed(place)) throw new KdError(`The thread of processor ${number} is not known: ${place.message}; ${NAME_ONE}`, 'input'); // prettier-ignore
  if (place.thread === null) throw new KdError(`The thread of processor ${number} is not in the dump: ${NAME_ONE}`, 'input'); // prettier-ignore
  return place.thread;
}

/**
 * The `_EPROCESS` that the user set, else the one whose memory the current thread sees; of a triage dump the one that it holds. Throws
 * KdError where it is not known.
 */
export async function currentProcess(session: Session): Promise<VirtualAddress> {
  const { opened } = session;
  if (session.process !== null) return session.process.address;
  if (opened.dump.triage !== null) {
    const { describeProcesses } = await import('../../analysis/objects/inventory.js');
    const [only] = describeProcesses(opened, { details: false, threadsOf: null }).blocks;
    if (only === undefined) throw new KdError('This dump holds no process', 'input');
    return virtual(BigInt(only.address));
  }
  const address = await currentThread(session);
  const process = (await threadsOf(session)).find((thread) => thread.address === address)?.attachedTo ?? null;
  if (process === null) {
    throw new KdError(`The current thread ${session.show(address)} is in no list of threads, as idle ones are not: ${NAME_ONE}`, 'input'); // prettier-ignore
  }
  return process;
}
