/** Gathers the samples of all files, and their values in columns. */

import type { Stamp } from '../../../parsers/text/time-stamp.js';
import type { TrendWarning } from '../codes.js';
import { SeriesStore } from './series.js';

/** Figures of the whole machine, in bytes. */
export interface Figures {
  memory: number | null;
  available: number | null;
  committed: number | null;
  commitLimit: number | null;
  nonPagedPool: number | null;
  pagedPool: number | null;
  nonPagedMaximum: number | null;
  pagedMaximum: number | null;
}

export const NO_FIGURES: Readonly<Figures> = {
  memory: null,
  available: null,
  committed: null,
  commitLimit: null,
  nonPagedPool: null,
  pagedPool: null,
  nonPagedMaximum: null,
  pagedMaximum: null,
};

/** What tells two builds of a driver apart. */
export interface ModuleFact {
  name: string;
  timeDateStamp: string | null;
  checkSum: string | null;
  sizeOfImage: number | null;
  fileVersion: string | null;
}

export type InputKind = 'poolmon' | 'perfmon' | 'poolmon-csv' | 'dump' | 'result';

/** One moment of one file. */
export interface Sample {
  /** Index of its file. */
  file: number;
  /** Milliseconds since 1970 where the sample tells it exactly. */
  time: number | null;
  /** A time as a script wrote it. */
  stamp: Stamp | null;
  bootTime: number | null;
  pageFaults: number | null;
  hasTags: boolean;
  narrow: boolean;
  /** The tags of it are all that there were: their sum can be held against the pool. */
  complete: boolean;
  figures: Readonly<Figures>;
  /** Bytes of all its tags, nonpaged and paged. */
  tagBytes: [number, number];
}

export interface InputFile {
  path: string;
  name: string;
  fileTime: number;
  kind: InputKind;
  samples: number;
}

/** Samples that are kept at most: a counter log of a day, every second. */
export const MOST_SAMPLES = 100_000;

export class Collector {
  readonly store = new SeriesStore();
  readonly files: InputFile[] = [];
  readonly samples: Sample[] = [];
  readonly warnings: TrendWarning[] = [];
  readonly machines = new Set<string>();
  /** Mapped_Driver texts that logs brought along, by tag. */
  readonly drivers = new Map<number, string>();

  /** Drivers of the last dump or result, where they are wanted and known. */
  modules: ModuleFact[] | null = null;

  constructor(
    /** Modules are wanted, which takes longer. */
    readonly wantsModules = false,
  ) {}

  /** True when nothing more is taken. */
  get full(): boolean {
    return this.store.full || this.samples.length >= MOST_SAMPLES;
  }

  warn(code: TrendWarning['code'], message: string): void {
    if (this.warnings.length < MOST_WARNINGS) this.warnings.push({ code, message });
  }

  /** A new sample of the file that was added last. Its number. */
  sample(known: Partial<Sample>): number {
    const file = this.files.length - 1;
    const last = this.files[file];
    if (last !== undefined) last.samples++;
    return (
      this.samples.push({
        file,
        time: null,
        stamp: null,
        bootTime: null,
        pageFaults: null,
        hasTags: false,
        narrow: false,
        complete: false,
        figures: NO_FIGURES,
        tagBytes: [0, 0],
        ...known,
      }) - 1
    );
  }

  /** A row of a pool tag: its tag (little-endian, without the protected bit) and pool (0 nonpaged, 1 paged). */
  tag(sample: number, tag: number, pool: number, allocs: number, frees: number, bytes: number): void {
    const { store } = this;
    store.add(store.tag(tag, pool), sample, bytes, allocs, frees);
  }

  /** The whole pool's figure as a series of its own. */
  poolTotal(sample: number, pool: 'nonpaged' | 'paged', bytes: number | null): void {
    if (bytes === null) return;
    const series = this.store.named(`pool ${pool}`, () => {
      return { kind: 'pool-total', tag: null, pool, label: `${pool} pool`, unit: 'bytes', process: null };
    });
    this.store.add(series, sample, bytes, NaN, NaN);
  }

  /** A figure of the whole machine as a series of its own. */
  counter(sample: number, label: string, bytes: number | null): void {
    if (bytes === null) return;
    const series = this.store.named(`counter ${label}`, () => {
      return { kind: 'counter', tag: null, pool: null, label, unit: 'bytes', process: null };
    });
    this.store.add(series, sample, bytes, NaN, NaN);
  }
}

const MOST_WARNINGS = 200;
