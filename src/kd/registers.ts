/** Registers of expressions: `$t0` to `$t19`, which the user sets, and pseudo-registers that make sense in a dump. */

import { PAGE_SIZE } from '../../parsers/addresses.js';
import type { RegisterSet } from '../../parsers/dump/context.js';
import type { OpenedDump } from '../kernel/open/opened-dump.js';
import { crashContext, registerIn } from './stack/processors.js';

/** `$t0` to `$t19`. */
const OWN = /^\$t1?\d$/;

/** What an extension gave: the block of `!poolfind -x`. */
export const EXTENSION_RESULT = '$extret';

export class Registers {
  private readonly own = new Map<string, bigint>();
  private chosen: RegisterSet | null | undefined;

  constructor(private readonly opened: OpenedDump) {}

  /** The registers of the processor that is looked at: at first the one that crashed; null where the dump does not hold them. */
  get context(): RegisterSet | null {
    if (this.chosen === undefined) this.chosen = crashContext(this.opened);
    return this.chosen;
  }

  /** The processor that the user looks at, by number; null until another than the one that crashed was chosen. */
  processor: number | null = null;

  /** Looks at another processor. */
  look(context: RegisterSet, number: number): void {
    this.chosen = context;
    this.processor = number;
  }

  /** Whether the user can set it. */
  isOwn(name: string): boolean {
    return OWN.test(name);
  }

  set(name: string, value: bigint): void {
    this.own.set(name, BigInt.asUintN(64, value));
  }

  /** A register's value, its name in lower case without `@`; null for one that is not known here. `process` is the current `_EPROCESS`. */
  get(name: string, process: bigint | null): bigint | null {
    if (OWN.test(name) || name === EXTENSION_RESULT) return this.own.get(name) ?? 0n;
    const { header } = this.opened.dump;
    const parameter = /^\$bug_param([1-4])$/.exec(name)?.[1];
    if (parameter !== undefined) return header.bugCheckParameters[Number(parameter) - 1] ?? null;
    switch (name) {
      case '$ptrsize':
        return BigInt(this.opened.kernel.memory?.pointerSize ?? (header.signature === 'PAGEDUMP' ? 4 : 8));
      case '$pagesize':
        return BigInt(PAGE_SIZE);
      case '$bug_code':
        return header.bugCheckCode === null ? null : BigInt(header.bugCheckCode);
      case '$proc':
        return process;
      case '$ip':
        return this.context?.get('rip') ?? this.context?.get('eip') ?? this.context?.get('pc') ?? null;
      case '$csp':
        return this.context?.get('rsp') ?? this.context?.get('esp') ?? this.context?.get('sp') ?? null;
      default:
        return this.context === null ? null : registerIn(this.context, name);
    }
  }

  /** What the user set, in text that can be sent anywhere. */
  get state(): readonly (readonly [string, string])[] {
    return [...this.own].map(([name, value]) => [name, value.toString()]);
  }

  restore(state: readonly (readonly [string, string])[]): void {
    for (const [name, value] of state) this.own.set(name, BigInt(value));
  }
}
