/**
 * Who is behind objects that are not let go: one process, the kernel or a driver, or nobody that can be named. An innocent
 * process named is worse than none: one is accused only when it holds nearly all of what grew, when every handle that is
 * not accounted for could be another's, and when the counts agree.
 */

import type { Confidence, Holders, ObjectTypeInfo, PoolTagRow, ProcessName } from '../../result/result.js';
import type { HoldersReading } from './object-facts.js';
import * as limits from '../thresholds.js';
import { amount, counted, list, processText } from '../wording.js';

/** What the holders of a suspect tag's objects tell. */
export interface HolderJudgement {
  readonly kind: 'process' | 'kernel-references' | 'unknown';
  readonly process: ProcessName | null;
  /** The most that the one who is named may be accused with. */
  readonly confidence: Confidence;
  /** What there is too much of, and who keeps it, as the end of a headline. */
  readonly says: string;
  readonly because: readonly string[];
  /** Of the objects in question, some are ended processes or threads. */
  readonly ended: 'processes' | 'threads' | null;
  readonly type: string;
}

/** The process of the kernel and of drivers. */
const SYSTEM_PID = 4;

interface Held extends ProcessName {
  /** Different objects in question. */
  readonly objects: number;
  readonly handles: number;
}

/** What is asked about: some objects of the type, and who has handles to them. */
interface Question {
  readonly count: number;
  readonly words: string;
  readonly held: readonly Held[];
  /** To how many of them no handle leads; null where that is not known. */
  readonly unheld: number | null;
  /** Handles that nobody could be found for. */
  readonly unread: number;
  readonly ended: HolderJudgement['ended'];
}

/** @param outstanding allocations of the tag's row. */
export function judgeHolders(reading: HoldersReading, outstanding: number): HolderJudgement {
  const { holders } = reading;
  const question = questionOf(reading);
  const [first, second] = question.held;
  const judged = { ended: question.ended, type: holders.type };
  const doubts = [...contradictions(reading, outstanding)];
  const lost = lostText(reading);
  const unknown = (why: string, because: readonly string[]): HolderJudgement => ({
    ...{ kind: 'unknown', process: null, confidence: 'low', says: `${question.words}; ${why}`, because, ...judged },
  });

  const share = first === undefined ? 0 : shareOf(question, first);
  const ofAll = first !== undefined && first.objects * 100 >= question.count * limits.ACCUSED_OF_ALL_PERCENT;
  if (ofAll && first.objects >= limits.FEW_HELD && isEnough(share)) {
    const facts = [
      `${processText(first)} has ${counted(first.handles, 'handle')} to them, of ${counted(Number(holders.handles), 'handle')} to objects of the type ${holders.type} in all`,
      second === undefined
        ? 'No other process has a handle to them'
        : `Next is ${processText(second)} with ${amount(second.handles)}`,
    ];
    if (doubts.length > 0)
      return unknown('who keeps them is not certain, for the counts do not agree', [...doubts, ...facts]);
    const isSystem = Number(first.pid) === SYSTEM_PID;
    const verb = question.ended === null ? 'held' : 'kept';
    const part = isEnough(first.objects / question.count) ? '' : `${amount(first.objects)} of them `;
    return {
      kind: 'process',
      process: { pid: first.pid, image: first.image },
      confidence: holders.complete ? 'high' : 'medium',
      says: `${question.words}, ${part}${verb} by handles of ${processText(first)}${isSystem ? ': those of drivers and the kernel' : ''}`,
      because: [...facts, ...lost],
      ...judged,
    };
  }
  if (question.unheld !== null && question.count >= limits.FEW_HELD && isEnough(question.unheld / question.count)) {
    const because = [
      `No process has a handle to ${amount(question.unheld)} of ${question.words}: what keeps them are references of the kernel or of a driver`,
    ];
    if (doubts.length > 0)
      return unknown('what keeps them is not certain, for the counts do not agree', [...doubts, ...because]);
    return {
      kind: 'kernel-references',
      process: null,
      confidence: holders.complete ? 'medium' : 'low',
      says: `${question.words}, kept by references of the kernel or of a driver: no process has a handle to them`,
      because: [...because, ...lost],
      ...judged,
    };
  }
  if (lost.length > 0)
    return unknown('who keeps them is not known, for not all handles could be read', [...lost, ...doubts]);
  const several = question.held.filter(({ handles }) => handles >= limits.USUALLY_HELD).length;
  return several > 1
    ? unknown(`${amount(several)} processes hold them, and none of them nearly all`, doubts)
    : unknown('no process holds nearly all of them', doubts);
}

/** What is said of a type of which no handle could be read. */
export function unreadHolders(type: ObjectTypeInfo, ended: number): HolderJudgement {
  const isEnded = type.type === 'Process' && ended > 0;
  const words = isEnded
    ? counted(ended, 'ended process', 'ended processes')
    : `${amount(Number(type.objects))} ${type.type} objects`;
  const why = 'No handle table could be read';
  return {
    ...{ kind: 'unknown', process: null, confidence: 'low', because: [why] },
    ...{ says: `${words}; who keeps them is not known, for no handle could be read` },
    ...{ ended: isEnded ? 'processes' : null, type: type.type },
  };
}

const isEnough = (share: number): boolean => share * 100 >= limits.ACCUSED_HOLDS_PERCENT;

function questionOf(reading: HoldersReading): Question {
  const { holders, handlesFound, endedProcesses: ended } = reading;
  const unread = Math.max(0, Number(holders.handles) - handlesFound);
  if (ended !== null && ended.count >= limits.FEW_HELD) {
    const images = endedImages(holders, ended.count);
    const most = Number(holders.processes[0]?.objects ?? 0);
    // Handles beyond the number of different objects are second ones to the same.
    const held = (ended.heldBy ?? []).map((each, i): Held => ({
      ...each,
      objects: Math.min(each.handles, i === 0 && each.pid === holders.processes[0]?.pid ? most : each.handles),
    }));
    const words = `${counted(ended.count, 'ended process', 'ended processes')}${images}`;
    return { count: ended.count, words, held, unheld: ended.withoutHandle, unread, ended: 'processes' };
  }
  const threads = reading.endedThreads ?? 0;
  const count = Number(holders.objects);
  const held = holders.processes.map(({ pid, image, handles, objects }): Held => ({
    ...{ pid, image, handles: Number(handles), objects: Number(objects ?? 0) },
  }));
  const fewest = Math.max(0, count - Number(holders.handles));
  const unheld = holders.withoutHandle === null ? (fewest > 0 ? fewest : null) : Number(holders.withoutHandle);
  const isEnded = threads >= limits.FEW_HELD;
  const words = isEnded ? `${amount(threads)} ended threads` : `${amount(count)} ${holders.type} objects`;
  return { count, words, held, unheld, unread, ended: isEnded ? 'threads' : null };
}

/** ` (cmd.exe)` where nearly all are of one program, ` (cmd.exe and others)`. */
function endedImages({ ended }: Holders, count: number): string {
  const byImage = new Map<string, number>();
  for (const { image, count: of } of ended) byImage.set(image, (byImage.get(image) ?? 0) + Number(of));
  const [most] = [...byImage].sort((a, b) => b[1] - a[1]);
  if (most === undefined || most[0] === '' || most[1] * 2 < count) return '';
  return ` (${list([most[0]])}${isEnough(most[1] / count) ? '' : ' and others'})`;
}

/**
 * What the first holds of what grew, 0 to 1. What others hold beyond ordinary use grew too, and so did, until the opposite
 * is known, what no handle leads to and what unread handles lead to.
 */
function shareOf({ count, held, unread, ended }: Question, first: Held): number {
  const others = held
    .filter((each) => each !== first && (ended === 'processes' || each.handles >= limits.USUALLY_HELD))
    .reduce((sum, { handles }) => sum + handles, 0);
  const known = first.objects + others + unread;
  return first.objects / (ended === 'processes' ? Math.max(known, count) : known);
}

function* contradictions(
  { holders, handlesFound, endedProcesses }: HoldersReading,
  outstanding: number,
): Iterable<string> {
  const [objects, handles] = [Number(holders.objects), Number(holders.handles)];
  if (!agree(objects, outstanding)) {
    yield `The type ${holders.type} counts ${counted(objects, 'object')}, and ${counted(outstanding, 'allocation')} are outstanding under its tag`;
  }
  if (holders.complete && holders.unreadable === 0 && !agree(handles, handlesFound)) {
    yield `The type ${holders.type} counts ${counted(handles, 'handle')}, and ${amount(handlesFound)} were found`;
  }
  if (endedProcesses !== null && endedProcesses.count > objects * (1 + limits.COUNTS_AGREE_PERCENT / 100)) {
    yield `${counted(endedProcesses.count, 'ended process', 'ended processes')} were found, and the type counts ${counted(objects, 'object')} in all`;
  }
}

function agree(a: number, b: number): boolean {
  return Math.abs(a - b) * 100 <= Math.max(a, b) * limits.COUNTS_AGREE_PERCENT;
}

function lostText({ holders, handlesFound }: HoldersReading): string[] {
  const unread = Number(holders.handles) - handlesFound;
  const lost: string[] = [];
  if (!holders.complete) {
    lost.push(
      `Not all handle tables could be read: ${counted(handlesFound, 'handle')} to objects of the type ${holders.type} were found of ${amount(Number(holders.handles))} that the type counts`,
    );
  } else if (unread > 0 && Number(holders.unreadable) > 0) {
    lost.push(
      `The objects of ${counted(Number(holders.unreadable), 'handle')} are not in the dump: what they are is not known`,
    );
  }
  return lost;
}

/** What to do about objects that are not let go: who opens them, or who refers to them. */
export function holderSteps(judgement: HolderJudgement, tag: string): string[] {
  const { kind, process, ended, type } = judgement;
  if (kind === 'process' && process !== null) {
    const who = processText(process);
    const isSystem = Number(process.pid) === SYSTEM_PID;
    const list = `List its handles: "dumpleak handles DUMP --pid ${process.pid} --type ${quoted(type)} --list", or "!handle 0 3 ${Number(process.pid).toString(16)} ${type}" in a debugger.`;
    if (isSystem) {
      return [
        list,
        `Handles of the System process are opened by drivers: record their stacks ("wpr -start Handle", let it grow, "wpr -stop handles.etl", then Handles in Windows Performance Analyzer) to see which driver opens them.`,
      ];
    }
    const what = ended === null ? `the ${type} objects` : `the ended ${ended}`;
    return [
      `Stop or restart ${who} and see whether ${what} go: they end with its handles. It is the one to be fixed: it opens handles and does not close them${ended === 'processes' ? ' (CreateProcess and OpenProcess give handles that CloseHandle must close)' : ''}.`,
      list,
      `For the code that opens them: "!htrace -enable" in a debugger attached to it, let it grow, "!htrace -diff"; or "wpr -start Handle" and Windows Performance Analyzer.`,
    ];
  }
  const references = `For who refers to them: turn on reference tracing ("gflags /ro /t ${tag.trim()} /p", restart), let it grow, collect a dump, and run "!obtrace ADDRESS" on such an object (dumpleak objects DUMP --type ${quoted(type)} lists some).`;
  if (kind === 'kernel-references') {
    return [
      references,
      'Look at drivers that watch processes, threads and files (security, backup, monitoring): remove or update one at a time and see whether the growth ends.',
    ];
  }
  return [
    `See who holds objects of the type ${type}: "dumpleak holders DUMP ${quoted(tag)}", or "!handle 0 0 0 ${type}" in a debugger. A process whose handles grow from dump to dump keeps them.`,
    references,
  ];
}

const quoted = (text: string): string => (/\s/.test(text) ? `"${text}"` : text);

/** True for a row that is counted under the tag of a type. */
export function isTagOf(row: Pick<PoolTagRow, 'hex'>, key: string): boolean {
  return Number(row.hex) === Number(key);
}
