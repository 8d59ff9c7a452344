/** Good inputs, built once and kept in files, so that processes that feed them need not build them. */

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { applyChanges, planOf, type Change } from './changes.js';
import type { FuzzTarget } from './target.js';

/** The good inputs of targets, in a folder. */
export class Seeds {
  /** The last one: inputs of one target come one after the other. */
  private held: { path: string; bytes: Uint8Array } | null = null;

  constructor(private readonly folder: string) {}

  /** Builds and writes what is not there yet. */
  build(target: FuzzTarget): void {
    target.seeds.forEach((build, which) => {
      const path = this.path(target, which);
      if (existsSync(path)) return;
      writeFileSync(`${path}.part`, build());
      renameSync(`${path}.part`, path);
    });
  }

  /** A good input. It must not be changed. */
  get(target: FuzzTarget, which: number): Uint8Array {
    const path = this.path(target, which);
    if (this.held?.path !== path) this.held = { path, bytes: readFileSync(path) };
    return this.held.bytes;
  }

  /** The changes that a number stands for. */
  changes(target: FuzzTarget, number: number): readonly Change[] {
    return planOf(target, number, (which) => this.get(target, which)).changes;
  }

  /** The input that a number stands for; with `keep`, only those of its changes. */
  input(target: FuzzTarget, number: number, keep: readonly number[] | null = null): Uint8Array {
    const { which, changes } = planOf(target, number, (each) => this.get(target, each));
    const kept = keep === null ? changes : changes.filter((_, i) => keep.includes(i));
    const input = applyChanges(this.get(target, which), kept);
    return target.seal?.(input) ?? input;
  }

  private path(target: FuzzTarget, which: number): string {
    return join(this.folder, `${target.keptAs ?? target.name}-${which}.seed`);
  }
}
