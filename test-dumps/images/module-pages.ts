/** Puts the pages of a module into RAM and says in the page tables where they are, by the state chosen for each. */

import type { Va } from '../bytes.js';
import type { BuiltModule } from './modules.js';
import type { KernelSpace } from '../kernel/kernel-space.js';
import type { AddressTables } from '../kernel/page-tables.js';
import { PAGE } from '../physical-memory.js';
import type { Prng } from '../prng.js';

export interface Placement {
  space: KernelSpace;
  /** Tables to map in: the system's, or those of the sessions. */
  tables: AddressTables;
  /** Frames that the dump shall not hold. */
  absent: Set<number>;
  random: Prng;
  swizzle: boolean;
  /** Frames side by side that the next pages get. */
  frames: () => number;
}

/** Gives frames of which up to `most` that follow each other stand side by side. */
export function framesInRuns(memory: KernelSpace['memory'], random: Prng, most: number): () => number {
  if (most <= 1) return () => memory.allocate();
  let [next, left] = [0, 0];
  return () => {
    if (left === 0) {
      const run = memory.allocateRun(random.int(1, most));
      [next, left] = [run.first, run.count];
    }
    left--;
    return next++;
  };
}

/** Maps ntoskrnl.exe: by large pages where its base allows and `large` wishes, else page by page like any module. */
export function placeKernel(module: BuiltModule, to: Placement, large: boolean): void {
  const { largePages } = to.tables;
  if (!large || module.base % (largePages * PAGE) !== 0) {
    placeModule(module, to);
    return;
  }
  const pages = module.image.size / PAGE;
  for (let first = 0; first < pages; first += largePages) {
    const block = to.space.memory.allocateBlock(largePages, largePages);
    to.tables.mapLarge(module.base + first * PAGE, block, 2, { writable: true, executable: true });
    for (let i = 0; i < largePages && first + i < pages; i++) fill(module, first + i, block + i, to);
  }
}

/** Maps a module page by page; neighbours get frames far apart, or in short runs. */
export function placeModule(module: BuiltModule, to: Placement): void {
  for (let page = 0; page < module.image.size / PAGE; page++) {
    const va = module.base + page * PAGE;
    const state = module.states.get(page) ?? 'valid';
    switch (state) {
      case 'discarded':
        break;
      case 'paged-out':
        to.tables.mapPagedOut(va, to.random.int(0x100, 0xfffff));
        break;
      case 'demand-zero':
        to.tables.mapPagedOut(va, 0);
        break;
      case 'transition':
      case 'transition-absent': {
        const frame = to.space.memory.allocate();
        to.tables.mapTransition(va, frame, to.swizzle && to.random.chance(0.5));
        fill(module, page, frame, to);
        break;
      }
      case 'prototype':
      case 'prototype-transition':
      case 'prototype-absent': {
        const frame = to.space.memory.allocate();
        to.tables.mapPrototype(va, prototypePte(to.space, to.tables, frame, state === 'prototype-transition'));
        fill(module, page, frame, to);
        break;
      }
      default: {
        const frame = to.frames();
        const section = module.image.sectionAt(page * PAGE);
        const executable = section !== undefined && (section.characteristics & 0x20000000) !== 0;
        to.tables.map(va, frame, { executable, writable: !executable });
        fill(module, page, frame, to);
      }
    }
  }
}

/** RVA of a place in a module's data that can be written from here on. Throws where none of it is in memory. */
export function dataOf(modules: readonly BuiltModule[], name: string, space: KernelSpace): number {
  const module = modules.find((one) => one.name === name);
  for (const [page, frame] of module?.frames ?? []) {
    if (module?.image.sectionAt(page * PAGE)?.name !== '.data') continue;
    space.aliasPage(module.base + page * PAGE, frame);
    return page * PAGE + 0x80;
  }
  throw new Error(`no data of ${name} is in memory`);
}

/** A prototype PTE in paged pool for `frame`, valid or in transition. */
function prototypePte(space: KernelSpace, tables: AddressTables, frame: number, inTransition: boolean): Va {
  const at = space.allocate('pagedPool', 8, 8);
  space.write(at, tables.prototypePte(frame, inTransition));
  return at;
}

function fill(module: BuiltModule, page: number, frame: number, to: Placement): void {
  const state = module.states.get(page);
  const own = module.image.pages.get(page);
  // The system's globals are written through the kernel space after this, into the image's own pages.
  if (own) to.space.memory.setOwned(frame, own);
  else to.space.memory.setShared(frame, module.image.page(page));
  to.space.aliasPage(module.base + page * PAGE, frame);
  module.frames.set(page, frame);
  if (state === 'absent' || state === 'transition-absent' || state === 'prototype-absent') to.absent.add(frame);
}
