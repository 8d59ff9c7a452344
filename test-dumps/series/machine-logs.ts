/** Whole machines as poolmon logs: many tags over many snapshots, a few of them leaking. */

import { Prng } from '../prng.js';
import { buildCase, type SeriesCase, type SeriesClass } from './cases.js';
import { logUniform } from './noise.js';

export interface MachineOptions {
  tags: number;
  samples: number;
  stepHours: number;
  seed: number;
  /** Tags that leak, under daily load. */
  leaks: number;
  columns?: 'narrow' | 'wide';
}

export interface MachineLog {
  /** `poolsnap-20260105-1000.log`: the time of the snapshot. */
  name: string;
  text: string;
  time: number;
}

const START = Date.UTC(2026, 0, 5, 10);
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const NARROW = ' Tag  Type     Allocs         Frees    Diff   Bytes    Per Alloc';
const WIDE =
  ' Tag  Type     Allocs            Frees               Diff            Bytes                 Per Alloc       [Mapped_Driver]';

interface TagSeries {
  tag: string;
  pool: 'Nonp' | 'Paged';
  series: SeriesCase;
}

/** Logs one by one, in order of time: only one at a time is in memory. */
export function* machineLogs(options: MachineOptions): Generator<MachineLog> {
  const tags = machineTags(options);
  const end = options.columns === 'wide' ? wideRow : narrowRow;
  for (let i = 0; i < options.samples; i++) {
    const time = START + Math.round(i * options.stepHours * 3_600_000);
    yield { name: `poolsnap-${stampOf(time)}.log`, text: logText(tags, i, options.columns ?? 'narrow', end), time };
  }
}

/** `20260105-1000` in UTC. */
function stampOf(time: number): string {
  const text = new Date(time).toISOString();
  return `${text.slice(0, 10).replaceAll('-', '')}-${text.slice(11, 16).replace(':', '')}`;
}

/** The names of the leaking tags: `Lk00`, `Lk01`, ... */
export const leakTag = (index: number): string => `Lk${String(index).padStart(2, '0')}`;

function machineTags({ tags, samples, stepHours, seed, leaks }: MachineOptions): TagSeries[] {
  const random = new Prng(seed);
  const plan = { samples, stepHours };
  const used = new Set<string>();
  const all: TagSeries[] = [];
  for (let i = 0; all.length < tags; i++) {
    const isLeak = i < leaks;
    const tag = isLeak ? leakTag(i) : Array.from({ length: 4 }, () => LETTERS[random.int(0, 61)] ?? 'A').join('');
    if (used.has(tag)) continue;
    used.add(tag);
    const kind: SeriesClass = isLeak ? 'leak-under-load' : random.chance(0.3) ? 'load' : 'flat';
    const series = buildCase(kind, seed * 100_000 + i, { plan, signalToNoise: 16, loadToRise: 0.5 });
    // Most tags of a machine are small.
    const scale = isLeak ? 1 : logUniform(random, 1e-4, 0.2);
    series.bytes.forEach((value, k) => (series.bytes[k] = Math.round((value * scale) / 16) * 16));
    all.push({ tag, pool: random.chance(0.6) || isLeak ? 'Nonp' : 'Paged', series });
  }
  return all.sort((a, b) => (a.tag < b.tag ? -1 : 1));
}

type Row = (tag: string, pool: string, allocs: number, frees: number, diff: number, bytes: number) => string;

const narrowRow: Row = (tag, pool, allocs, frees, diff, bytes) =>
  ` ${tag} ${pool.padEnd(5)} ${pad(allocs, 9)} ${pad(frees, 9)} ${pad(diff, 9)} ${pad(bytes, 8)} ${pad(each(bytes, diff), 10)}`;

const wideRow: Row = (tag, pool, allocs, frees, diff, bytes) =>
  ` ${tag} ${pool.padEnd(5)} ${pad(allocs, 18)} ${pad(frees, 18)} ${pad(diff, 17)} ${pad(bytes, 14)} ${pad(each(bytes, diff), 16)}        Unknown Driver`;

const pad = (value: number, width: number): string => String(value).padStart(width);
const each = (bytes: number, diff: number): number => (diff === 0 ? 0 : Math.floor(bytes / diff));

function logText(tags: readonly TagSeries[], at: number, columns: 'narrow' | 'wide', row: Row): string {
  const held = { Nonp: 0, Paged: 0 };
  const rows = tags.map(({ tag, pool, series }) => {
    const [allocs, frees, bytes] = [series.allocs[at] ?? 0, series.frees[at] ?? 0, series.bytes[at] ?? 0];
    held[pool] += bytes;
    return row(tag, pool, allocs, frees, allocs - frees, bytes);
  });
  const [nonPaged, paged] = [Math.ceil(held.Nonp / 1024) + 20_000, Math.ceil(held.Paged / 1024) + 5000];
  const faults = 400_000_000 + at * 90_000;
  const memory = 16_468_560;
  const commit = 4_100_436 + nonPaged + paged;
  return [
    ` Memory:${pad(memory, 8)}K Avail:${pad(memory - commit, 8)}K  PageFlts:${pad(faults, 6)}   InRam Krnl:${pad(56_708, 5)}K P:${pad(paged - 1000, 5)}K`,
    ` Commit:${pad(commit, 7)}K Limit:${pad(17_517_136, 7)}K Peak:${pad(commit + 5000, 7)}K            Pool N:${pad(nonPaged, 5)}K P:${pad(paged, 5)}K`,
    '',
    columns === 'wide' ? WIDE : NARROW,
    '',
    ...rows,
    '',
  ].join('\r\n');
}
