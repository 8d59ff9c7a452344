/** Writes `_EPROCESS` and `_ETHREAD` bodies, but for what every process of the builder has (processes.ts), and their lists. */

import type { Va } from '../bytes.js';
import type { KernelFacts } from '../kernel-facts.js';
import type { KernelSpace } from '../kernel/kernel-space.js';
import { PAGE } from '../physical-memory.js';
import type { ProcessModel, ThreadModel } from './model/things.js';
import { Piece, putText, putUnicode } from './piece.js';
import type { PoolPages } from './pool-pages.js';
import { FAST_REFERENCES } from './model/populate.js';

const PROCESS = 3;
const THREAD = 6;
const TERMINATED = 4;
const WAITING = 5;

export class ProcessBodies {
  private readonly quotaBlocks = new Map<string, Va>();

  constructor(
    private readonly space: KernelSpace,
    private readonly kernel: KernelFacts,
    private readonly pool: PoolPages,
  ) {}

  /** The quota block of an account; its fields are published of Windows XP and 2003 only. */
  quotaBlock(user: string): Va {
    const known = this.quotaBlocks.get(user);
    if (known !== undefined) return known;
    const { size } = this.kernel.structs['_EPROCESS_QUOTA_BLOCK'] ?? { size: 0x200 };
    const block = this.pool.allocate('nonPagedPool', 'PsQb', size);
    new Piece(this.kernel, '_EPROCESS_QUOTA_BLOCK', block.bytes, block.va).u32('ReferenceCount', 1);
    this.quotaBlocks.set(user, block.va);
    return block.va;
  }

  /** All of a process's body that has to do with objects. An ended one gets the rest too. */
  process(process: ProcessModel, bytes: Uint8Array): void {
    const ended = process.exitTime !== 0n;
    const body = new Piece(this.kernel, '_EPROCESS', bytes, process.thing.body);
    const kprocess = body.inner('Pcb', '_KPROCESS');
    const header = kprocess.inner('Header', '_DISPATCHER_HEADER');
    header.u8('Type', PROCESS);
    header.u32('SignalState', ended ? 1 : 0);
    header.emptyList('WaitListHead');
    body.u64('CreateTime', process.createTime);
    body.u64('ExitTime', process.exitTime);
    body.word('UniqueProcessId', process.pid);
    body.word('InheritedFromUniqueProcessId', process.parentPid);
    body.ascii('ImageFileName', process.name.slice(0, 15));
    body.pointer('ObjectTable', process.handles?.table ?? 0);
    body.pointer('Token', process.token ? process.token.body + FAST_REFERENCES : 0);
    body.pointer('ImageFilePointer', process.image?.body ?? 0);
    body.pointer('SectionObject', process.section?.body ?? 0);
    body.pointer('QuotaBlock', this.quotaBlock(process.user));
    const { quota } = process;
    for (const field of ['ProcessQuotaUsage', 'QuotaUsage'])
      [quota.nonPaged, quota.paged].forEach((value, i) => {
        body.word(field, value, i);
      });
    for (const field of ['ProcessQuotaPeak', 'QuotaPeak'])
      [quota.nonPagedPeak, quota.pagedPeak].forEach((value, i) => {
        body.word(field, value, i);
      });
    const live = process.threads.filter((thread) => thread.exitTime === 0n);
    body.u32('ActiveThreads', live.length);
    body.u32('ActiveThreadsHighWatermark', Math.max(1, process.threads.length));
    body.u32('ExitStatus', ended ? 0 : 0x103);
    body.emptyList('SessionProcessLinks');
    this.imageName(process, body);
    if (!ended) return;
    // The page tables of an ended process stay; nothing needs to stand in them.
    kprocess.word('DirectoryTableBase', this.space.memory.allocate() * PAGE);
    body.word('CommitCharge', 0);
    body.word('CommitChargePeak', 700);
  }

  thread(thread: ThreadModel, bytes: Uint8Array): void {
    const ended = thread.exitTime !== 0n;
    const body = new Piece(this.kernel, '_ETHREAD', bytes, thread.thing.body);
    const tcb = body.inner('Tcb', '_KTHREAD');
    const header = tcb.inner('Header', '_DISPATCHER_HEADER');
    const owner = thread.process.thing.body;
    header.u8('Type', THREAD);
    header.u32('SignalState', ended ? 1 : 0);
    header.emptyList('WaitListHead');
    tcb.pointer('Process', owner);
    tcb.inner('ApcState', '_KAPC_STATE').pointer('Process', owner);
    tcb.u8('State', ended ? TERMINATED : WAITING);
    body.u64('CreateTime', thread.createTime);
    // The head of a list stands here while the thread lives.
    if (ended) body.u64('ExitTime', thread.exitTime);
    else body.emptyList('ExitTime');
    const id = body.inner('Cid', '_CLIENT_ID');
    id.word('UniqueProcess', thread.process.pid);
    id.word('UniqueThread', thread.id);
    body.pointer('ThreadsProcess', owner);
    body.emptyList('IrpList');
  }

  /** Ended threads have left the kernel's own list, not that of the process. `loop`: the list never comes back. */
  linkThreads(process: ProcessModel, loop: boolean): void {
    const offset = (type: string, field: string): number => this.kernel.structs[type]?.fields[field] ?? 0;
    const pcb = process.thing.body + offset('_EPROCESS', 'Pcb');
    const tcb = offset('_ETHREAD', 'Tcb');
    const entries = process.threads.map(({ thing }) => thing.body + offset('_ETHREAD', 'ThreadListEntry'));
    this.space.link(process.thing.body + offset('_EPROCESS', 'ThreadListHead'), entries);
    this.space.link(
      pcb + offset('_KPROCESS', 'ThreadListHead'),
      process.threads
        .filter((thread) => thread.exitTime === 0n)
        .map(({ thing }) => thing.body + tcb + offset('_KTHREAD', 'ThreadListEntry')),
    );
    const [first] = entries;
    const last = entries.at(-1);
    if (loop && first !== undefined && last !== undefined) this.space.pointer(last, first);
  }

  /** `SeAuditProcessCreationInfo` points at an `_OBJECT_NAME_INFORMATION`: a string with its characters behind it. */
  private imageName(process: ProcessModel, body: Piece): void {
    const { path } = process;
    const { width } = this.space;
    const block = this.pool.allocate('pagedPool', 'SeOn', 2 * width + path.length * 2 + 2);
    putText(block.bytes, (block.va % PAGE) + 2 * width, path);
    putUnicode(this.kernel, block.bytes, block.va % PAGE, path.length, path === '' ? 0 : block.va + 2 * width);
    body.pointer('SeAuditProcessCreationInfo', block.va);
  }
}
