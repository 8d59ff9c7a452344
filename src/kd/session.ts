/** A session at the debugger's prompt: the open dump, its symbols, and what commands set for those after them. */

import { PAGE_SIZE, physical, virtual, type VirtualAddress } from '../../parsers/addresses.js';
import { failed } from '../../parsers/bytes/failure.js';
import { PhysicalMemory } from '../../parsers/dump/physical-memory.js';
import type { VirtualMemory } from '../../parsers/paging/virtual-memory.js';
import type { SymbolSources } from '../../symbols/sources.js';
import type { OpenedDump } from '../kernel/open/opened-dump.js';
import { debuggerAddress } from '../views/print/format.js';
import type { TagLists } from '../views/view.js';
import type { Catalog } from './catalog.js';
import { evaluate, type Environment } from './expressions/evaluate.js';
import { parseExpression } from './expressions/parse.js';
import { lengthAt } from './expressions/ranges.js';
import type { Radix } from './expressions/tokens.js';
import { KdError } from './kd-error.js';
import { Printer, type Sink } from './printer.js';
import { Registers } from './registers.js';
import { ModuleSymbols } from './symbols/module-symbols.js';

/** What the surroundings do for a session: files and the symbol path are not its own business. */
export interface SessionHost extends Sink {
  /** Opens a log; what is printed goes there too. Throws KdError. */
  openLog(path: string, how: { readonly append: boolean }): void;
  /** Closes it. Gives its path, or null where none was open. */
  closeLog(): string | null;
  /** The open log, or null. */
  readonly log: string | null;
  /** The lines of a file of commands. Throws KdError. */
  readScript(path: string): string;
  /** What looks for symbols along this path from now on. Throws KdError for a path that makes no sense. */
  openSymbols(path: string): Promise<SymbolSources | null>;
  /** The text of the symbol path. */
  readonly symbolPath: string;
}

/** What a session is made of. */
export interface SessionParts {
  /** The commands that there are. */
  readonly catalog: Catalog;
  readonly opened: OpenedDump;
  readonly lists: TagLists;
  readonly symbols: SymbolSources | null;
  readonly host: SessionHost;
}

/** Elements and their place. */
export interface Range {
  readonly address: VirtualAddress;
  /** Elements. */
  readonly count: number;
}

/** What an expression at the start of words gave, and what follows it. */
export interface Value {
  readonly value: bigint;
  readonly rest: string;
}

/** Elements of one range; more are refused. Behind `L?` as many as a number holds exactly in bytes. */
const MOST_ELEMENTS = 2n ** 32n;
const MOST_UNLIMITED = 2n ** 50n;

/** What commands set for later ones, as plain data. */
export interface SessionState {
  readonly radix: Radix;
  readonly aliases: readonly (readonly [string, string])[];
  readonly registers: readonly (readonly [string, string])[];
}

export class Session implements Environment {
  readonly catalog: Catalog;
  readonly opened: OpenedDump;
  readonly lists: TagLists;
  readonly symbols: ModuleSymbols;
  readonly host: SessionHost;
  readonly out: Printer;
  readonly registers: Registers;
  /** Names that stand for text, as `as` defines them. */
  readonly aliases = new Map<string, string>();
  radix: Radix = 16;
  /** The `d*` that a bare `d` repeats. */
  lastDisplay: string | null = null;
  /** Where `d*` and `u` without an address go on, by command. */
  readonly next = new Map<string, VirtualAddress>();
  /** The current process, where the user set one: its `_EPROCESS`, and its address space. */
  process: { readonly address: VirtualAddress; readonly memory: VirtualMemory } | null = null;

  /** Runs commands inside of a command, by the interpreter that the session is in. */
  run: (text: string) => Promise<void> = async () => Promise.reject(new KdError('Commands cannot be run here'));

  constructor(parts: SessionParts) {
    this.catalog = parts.catalog;
    this.opened = parts.opened;
    this.lists = parts.lists;
    this.host = parts.host;
    this.out = new Printer(parts.host);
    this.symbols = new ModuleSymbols(parts.opened, parts.symbols);
    this.registers = new Registers(parts.opened);
  }

  /** Whether addresses have 64 bits. */
  get wide(): boolean {
    return this.pointerSize === 8;
  }

  get pointerSize(): 4 | 8 {
    return this.opened.kernel.memory?.pointerSize ?? (this.opened.dump.header.signature === 'PAGEDUMP' ? 4 : 8);
  }

  /** The address space of the current process, else the kernel's. Throws KdError for a dump without one. */
  get memory(): VirtualMemory {
    const memory = this.process?.memory ?? this.opened.kernel.memory;
    if (memory === null) throw new KdError('This dump holds no memory that can be addressed', 'input');
    return memory;
  }

  /** The address space that shows an address: that of the module it is in where the module has one of its own (session space). */
  memoryAt(address: bigint): VirtualMemory {
    const { memory } = this;
    if (!failed(memory.translate(virtual(address)))) return memory;
    return this.symbols.at(address)?.memory ?? memory;
  }

  /** Bytes of physical memory; null where one of their pages is not in the dump. */
  readPhysical(address: bigint, length: number): Uint8Array | null {
    const { dump } = this.opened;
    if (dump.pages === null || address + BigInt(length) > 2n ** 52n) return null;
    const memory = new PhysicalMemory(dump.source, dump.pages);
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const at = Number(address) + done;
      const part = bytes.subarray(done, Math.min(length, done + PAGE_SIZE - (at % PAGE_SIZE)));
      if (memory.read(physical(at), part) !== null) return null;
      done += part.length;
    }
    return bytes;
  }

  async symbol(name: string): Promise<bigint | null> {
    return this.symbols.address(name);
  }

  register(name: string): bigint | null {
    return this.registers.get(name, this.process?.address ?? null);
  }

  read(address: bigint, bytes: 1 | 2 | 4 | 8, isPhysical: boolean): bigint | null {
    const at = this.address(address);
    const found = isPhysical ? this.readPhysical(address, bytes) : this.memoryAt(at).read(at, bytes);
    if (found === null || failed(found)) return null;
    let value = 0n;
    for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(found[i] ?? 0);
    return value;
  }

  /** A value as an address of the target: of 32 bits where it has no more. */
  address(value: bigint): VirtualAddress {
    return virtual(this.wide ? value : BigInt.asUintN(32, value));
  }

  /** `fffff880`044b63aa`, `826fa130`: as core commands print addresses. */
  show(address: bigint): string {
    return debuggerAddress(address, this.wide);
  }

  /** `fffff880044b63aa`, `826fa130`: as extensions print them. */
  pointer(address: bigint): string {
    return BigInt.asUintN(64, address)
      .toString(16)
      .padStart(this.wide ? 16 : 8, '0');
  }

  /** The value of the expression at the start of `text`, and what follows it. Throws KdError. */
  async value(text: string): Promise<Value> {
    const { node, end } = parseExpression(text, this.radix);
    return { value: await evaluate(node, text, this), rest: text.slice(end) };
  }

  /** The value of a text that is one expression. Throws KdError. */
  async evaluate(text: string): Promise<bigint> {
    const { value, rest } = await this.value(text);
    if (rest.trim() !== '') throw new KdError(`Extra character error in '${rest.trimStart()}'`);
    return value;
  }

  /** The address at the start of `text`, and what follows. Throws KdError. */
  async addressOf(text: string): Promise<{ readonly address: VirtualAddress; readonly rest: string }> {
    const { value, rest } = await this.value(text);
    return { address: this.address(value), rest };
  }

  /**
   * A range at the start of `text`: `ADDRESS`, `ADDRESS Ln`, `ADDRESS END`. Throws KdError.
   *
   * @param size bytes of an element.
   * @param usual elements where no length is given; null where one must be.
   */
  async range(
    text: string,
    size: number,
    usual: number | null,
  ): Promise<Range & { readonly rest: string; readonly unlimited: boolean }> {
    const { address, rest } = await this.addressOf(text);
    const length = lengthAt(rest, 0);
    if (length !== null) {
      const { value, rest: behind } = await this.value(rest.slice(length.from));
      if (value > (length.unlimited ? MOST_UNLIMITED : MOST_ELEMENTS))
        throw new KdError(`Range error in '${rest.trimStart()}'`);
      const count = Number(value);
      const start = length.negative ? this.address(address - BigInt(count * size)) : address;
      return { address: start, count, rest: behind, unlimited: length.unlimited };
    }
    if (/^\s*[\w(@$`-]/.test(rest) && rest.trim() !== '') {
      const end = await this.addressOf(rest).catch((error: unknown) => {
        if (usual === null) throw error;
        return null;
      });
      if (end !== null) {
        if (end.address < address) throw new KdError(`Range error in '${rest.trimStart()}'`);
        const bytes = end.address - address + 1n;
        const count = (bytes + BigInt(size) - 1n) / BigInt(size);
        if (count > MOST_ELEMENTS) throw new KdError(`Range error in '${rest.trimStart()}'`);
        return { address, count: Number(count), rest: end.rest, unlimited: false };
      }
    }
    if (usual === null) throw new KdError(`Range missing: an end, or L and a length, as in ${this.show(address)} L100`);
    return { address, count: usual, rest, unlimited: false };
  }

  /** What was set, for a session that takes this one's place. */
  get state(): SessionState {
    return { radix: this.radix, aliases: [...this.aliases], registers: this.registers.state };
  }

  /** Takes over what another session had set. */
  restore(state: SessionState): void {
    this.radix = state.radix;
    for (const [name, text] of state.aliases) this.aliases.set(name, text);
    this.registers.restore(state.registers);
  }
}
