/** The commands by name, and how a command as it was typed is taken apart. */

import { nearest } from '../views/print/nearest.js';
import type { Family, KdCommand } from './command.js';

/** A command as it was typed, taken apart. */
export interface Typed {
  readonly name: string;
  readonly command: KdCommand | null;
  /** What follows the name, without blanks before it. */
  readonly rest: string;
}

/**
 * What stands in a command's place at the start of a line: `!pool`, `.foreach`, `lm`, `?`. An extension's module is left out:
 * `!kdexts.pool` is `!pool`.
 */
const NAME = /^(?:!(?:[\w.]+\.)?[A-Za-z_]\w*|\.[A-Za-z_]\w*|\?\??|\$\$>a<|\$\$?>*<|[A-Za-z]+|\|+\.?|~)/;

/** Characters that a command's name may have. */
const LONGEST_NAME = 64;

export class Catalog {
  private readonly byName = new Map<string, KdCommand>();
  private readonly anyCase = new Map<string, KdCommand>();
  /** All commands, in the order of the families. */
  readonly commands: readonly KdCommand[];

  constructor(readonly families: readonly Family[]) {
    this.commands = families.flatMap(({ commands }) => commands);
    for (const command of this.commands) {
      for (const name of command.names) {
        this.byName.set(name, command);
        if (!this.anyCase.has(name.toLowerCase())) this.anyCase.set(name.toLowerCase(), command);
      }
    }
  }

  /** Every name that a command answers to. */
  get names(): readonly string[] {
    return [...this.byName.keys()];
  }

  /** The command of a name; null where there is none. */
  find(name: string): KdCommand | null {
    return this.byName.get(name) ?? this.anyCase.get(name.toLowerCase()) ?? null;
  }

  /** Takes a command apart: its name, which command that is, what follows. */
  read(text: string): Typed {
    const typed = NAME.exec(text)?.[0] ?? text.split(/\s/)[0] ?? '';
    const after = (length: number): string => text.slice(length).trimStart();
    const name = typed.startsWith('!') ? `!${typed.slice(1).split('.').at(-1) ?? ''}` : typed;
    const exact = this.find(name);
    if (exact !== null) return { name, command: exact, rest: after(typed.length) };
    // `lmvm`, `?1+1`: the longest name of a command that lets letters follow.
    for (let length = Math.min(name.length - 1, LONGEST_NAME); length > 0; length--) {
      const command = this.find(name.slice(0, length));
      if (command?.glued === true) return { name: name.slice(0, length), command, rest: text.slice(length) };
    }
    return { name, command: null, rest: after(typed.length) };
  }

  /** What is said of a name that no command has. */
  noSuch(name: string): string {
    const near = name.length > LONGEST_NAME ? null : nearest(name, this.names);
    const hint = near === null ? '.help lists those that are here' : `nearest here: ${near}`;
    return name.startsWith('!')
      ? `No export ${name.slice(1)} found: ${hint}`
      : `${name} is no command of this prompt: ${hint}`;
  }
}
