/**
 * The entries of PsLoadedModuleList, also where the list is damaged. Every link is checked against the one that leads
 * back (Flink against Blink). Where two disagree the list is walked from its other end as well, and what both ways leave
 * out is said.
 */

import { plus, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, hex } from '../../../parsers/bytes/failure.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import type { Warning } from '../../result/result.js';
import { isPlausible, readListEntry } from './list-entry.js';

const MOST_MODULES = 4096;

/** The entries in list order, and how many come before a gap that could not be bridged; null where there is none. */
export interface ModuleEntries {
  readonly entries: readonly VirtualAddress[];
  readonly gapAt: number | null;
  readonly warnings: readonly Warning[];
}

/** Walks the list at `head`, from both ends where one is not enough. Entries can be read at their first bytes. */
export function readModuleEntries(memory: VirtualMemory, head: VirtualAddress): ModuleEntries {
  const walk = new TwoWayWalk(memory, head);
  const forward = walk.follow('flink');
  if (forward.why === null) return { entries: forward.entries, gapAt: null, warnings: [] };
  const backward = walk.follow('blink');
  const { first, last, joined } = walk.join(forward.entries, backward.entries);
  const how = `the module list breaks after ${forward.entries.length} module${forward.entries.length === 1 ? '' : 's'} (${forward.why})`;
  return {
    entries: [...first, ...last],
    gapAt: joined ? null : first.length,
    warnings: [{ code: 'module-list-broken', where: 'modules', message: `${how}: ${whatOfRest(last.length, joined)}` }],
  };
}

function whatOfRest(count: number, joined: boolean): string {
  if (joined) {
    return count === 0
      ? 'nothing is missing behind it'
      : `the other ${count} were read from its other end, and none is missing`;
  }
  if (count === 0) return 'later ones are unknown';
  return `${count} more ${count === 1 ? 'was' : 'were'} read from its other end, those between are unknown`;
}

type Link = 'flink' | 'blink';

/** How far one way leads. */
interface Way {
  /** In the order in which they were met. */
  readonly entries: VirtualAddress[];
  /** Why it ended; null where it came back to the head. */
  readonly why: string | null;
}

/** A list read in both directions; no entry is taken twice. */
class TwoWayWalk {
  private readonly taken = new Set<bigint>();

  constructor(
    private readonly memory: VirtualMemory,
    private readonly head: VirtualAddress,
  ) {}

  /** Follows one kind of link from the head as long as each entry links back to the one before. */
  follow(link: Link): Way {
    const entries: VirtualAddress[] = [];
    for (let at = this.head; ;) {
      const next = this.read(at, link);
      const back = typeof next === 'string' ? next : this.read(next, link === 'flink' ? 'blink' : 'flink');
      if (typeof next === 'string') return { entries, why: next };
      if (typeof back === 'string') return { entries, why: back };
      if (back !== at) {
        return { entries, why: `the link at ${hex(at)} leads to ${hex(next)}, which links back to ${hex(back)}` };
      }
      if (next === this.head) return { entries, why: null };
      if (this.taken.has(next)) return { entries, why: `the list loops: ${hex(next)} comes up twice` };
      if (this.taken.size >= MOST_MODULES)
        return { entries, why: `the list does not end after ${MOST_MODULES} entries` };
      if (!this.leadsOn(next, link) && !this.canBeEntry(next)) {
        return { entries, why: `the link at ${hex(at)} leads to ${hex(next)}, which is no entry` };
      }
      this.taken.add(next);
      entries.push(next);
      at = next;
    }
  }

  /**
   * Joins what both ways gave. Where neither end knows the other, links that nothing confirms are followed as well, as
   * long as they lead to what can be an entry.
   */
  join(
    forward: readonly VirtualAddress[],
    backward: readonly VirtualAddress[],
  ): { first: readonly VirtualAddress[]; last: readonly VirtualAddress[]; joined: boolean } {
    const first = [...forward];
    /** From the end of the list on. */
    const last = [...backward];
    const meets = (): boolean => {
      const [end, start] = [first.at(-1) ?? this.head, last.at(-1) ?? this.head];
      return this.read(end, 'flink') === start || this.read(start, 'blink') === end;
    };
    let joined = meets();
    joined ||= this.goOn(last, 'blink', meets);
    joined ||= this.goOn(first, 'flink', meets);
    // What one direction passes over, the other leads to.
    return {
      first: this.filled(first.reverse(), 'blink').reverse(),
      last: this.filled(last.reverse(), 'flink'),
      joined,
    };
  }

  /** The entries with those between that a link leads to and back from, where the way that was taken passes over them. */
  private filled(entries: readonly VirtualAddress[], link: Link): VirtualAddress[] {
    const all: VirtualAddress[] = [];
    for (const entry of entries) {
      all.push(entry);
      for (let at = entry; ;) {
        const next = this.read(at, link);
        if (typeof next === 'string' || !this.leadsOn(at, link) || !this.take(next)) break;
        all.push(next);
        at = next;
      }
    }
    return all;
  }

  private goOn(entries: VirtualAddress[], link: Link, meets: () => boolean): boolean {
    for (;;) {
      const next = this.read(entries.at(-1) ?? this.head, link);
      if (typeof next === 'string' || !this.take(next)) return false;
      entries.push(next);
      if (meets()) return true;
    }
  }

  private canBeEntry(at: VirtualAddress): boolean {
    const entry = readListEntry(this.memory, at);
    return !failed(entry) && isPlausible(entry);
  }

  /** Takes what can be an entry; false where it cannot, or is taken already. */
  private take(at: VirtualAddress): boolean {
    if (at === this.head || this.taken.has(at) || this.taken.size >= MOST_MODULES) return false;
    if (!this.canBeEntry(at)) return false;
    this.taken.add(at);
    return true;
  }

  /**
   * True where a link leads from the entry to what links back to it. By chance one such pair of links can lead to the
   * middle of something; what lies behind it does not fit as well.
   */
  private leadsOn(at: VirtualAddress, link: Link): boolean {
    const next = this.read(at, link);
    return typeof next !== 'string' && this.read(next, link === 'flink' ? 'blink' : 'flink') === at;
  }

  /** The entry that a link leads to, or why it leads nowhere. */
  private read(at: VirtualAddress, link: Link): VirtualAddress | string {
    const value = this.memory.readPointer(link === 'flink' ? at : plus(at, this.memory.pointerSize));
    return failed(value) ? value.message : value;
  }
}
