/**
 * A baseline: what each pool tag, and each driver that is named for one, held in the dumps of a run that was as it should
 * be. A JSON file that belongs into a repository beside the tests: sorted, so that two of them can be compared by eye.
 */

import { Failure } from '../../../parsers/bytes/failure.js';
import { countersOf, POOLS } from '../../result/pool.js';
import { toNumber, type AnalysisResult, type Architecture, type Hex, type PoolKind } from '../../result/result.js';
import { VERSION } from '../../version.js';
import { driversOf, inBytes } from './named-drivers.js';

export const BASELINE_VERSION = 1;

/** Counts and bytes of a tag in one pool: the most of all dumps that the baseline was made of. */
export interface BaselineTag {
  tag: string;
  hex: Hex;
  pool: PoolKind;
  bytes: number;
  outstanding: number;
}

export interface BaselineDriver {
  module: string;
  /** Of all tags that it was named for. */
  bytes: number;
}

export interface Baseline {
  baselineVersion: typeof BASELINE_VERSION;
  tool: { name: 'dumpleak'; version: string };
  /** How many dumps it was made of. */
  dumps: number;
  /** Of the first of them. */
  buildNumber: number | null;
  architecture: Architecture | null;
  tags: BaselineTag[];
  drivers: BaselineDriver[];
}

/** What joins a tag in one pool: its key and the pool. */
export const tagAndPool = (hex: Hex, pool: PoolKind): string => `${hex} ${pool}`;

/**
 * The baseline of results whose tables of tags are whole. Of several dumps the most that each tag and driver held counts.
 */
export function baselineOf(results: readonly AnalysisResult[]): Baseline {
  const tags = new Map<string, BaselineTag>();
  const drivers = new Map<string, BaselineDriver>();
  for (const result of results) {
    for (const row of result.poolTags?.rows ?? []) {
      for (const pool of POOLS) {
        const { bytes, outstanding } = countersOf(row, pool);
        if (!(toNumber(bytes) > 0)) continue;
        const key = tagAndPool(row.hex, pool);
        const known = tags.get(key);
        tags.set(key, {
          ...{ tag: row.tag, hex: row.hex, pool },
          bytes: Math.max(toNumber(bytes), known?.bytes ?? 0),
          outstanding: Math.max(toNumber(outstanding), known?.outstanding ?? 0),
        });
      }
    }
    for (const { module, tags: held } of driversOf(result)) {
      const bytes = Math.max(inBytes(held), drivers.get(module.toLowerCase())?.bytes ?? 0);
      drivers.set(module.toLowerCase(), { module, bytes });
    }
  }
  const [first] = results;
  return {
    baselineVersion: BASELINE_VERSION,
    tool: { name: 'dumpleak', version: VERSION },
    dumps: results.length,
    buildNumber: first?.system?.buildNumber ?? null,
    architecture: first?.dump.architecture ?? null,
    tags: [...tags.values()].sort((a, b) => compare(a.tag, b.tag) || compare(a.hex, b.hex) || compare(a.pool, b.pool)),
    drivers: [...drivers.values()].sort((a, b) => compare(a.module, b.module)),
  };
}

/** By code units: the same on every machine. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The file's text; a line a tag. */
export function baselineText(baseline: Baseline): string {
  const { tags, drivers, ...head } = baseline;
  const lines = (rows: readonly object[]): string =>
    rows.length === 0 ? '[]' : `[\n${rows.map((row) => `    ${JSON.stringify(row)}`).join(',\n')}\n  ]`;
  const start = JSON.stringify(head, null, 2).slice(0, -2);
  return `${start},\n  "tags": ${lines(tags)},\n  "drivers": ${lines(drivers)}\n}\n`;
}

/** Reads the text of a baseline. `path` is for the message of a failure. */
export function readBaseline(text: string, path: string): Baseline | Failure {
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    return new Failure('other-format', `${path} is no JSON, so no baseline: --write-baseline makes one`);
  }
  if (!isRecord(json) || !('baselineVersion' in json)) {
    return new Failure('other-format', `${path} is no baseline: --write-baseline makes one`);
  }
  const { baselineVersion } = json;
  if (baselineVersion !== BASELINE_VERSION) {
    return new Failure('not-supported', `${path} is a baseline of version ${JSON.stringify(baselineVersion)}; this dumpleak reads ${BASELINE_VERSION}`); // prettier-ignore
  }
  const wrong = whatIsWrong(json);
  if (wrong !== null) return new Failure('corrupt', `${path}: ${wrong}: --write-baseline makes it anew`);
  return json as unknown as Baseline;
}

function whatIsWrong({ tags, drivers, buildNumber, architecture }: Record<string, unknown>): string | null {
  if (!Array.isArray(tags) || !Array.isArray(drivers)) return 'tags and drivers are to be lists';
  const tag = tags.findIndex((one) => !isTag(one));
  if (tag >= 0) return `entry ${tag + 1} of tags wants tag, hex, pool, bytes and outstanding`;
  const driver = drivers.findIndex((one) => !(isRecord(one) && typeof one['module'] === 'string' && isAmount(one['bytes']))); // prettier-ignore
  if (driver >= 0) return `entry ${driver + 1} of drivers wants module and bytes`;
  if (buildNumber !== null && !isAmount(buildNumber)) return 'buildNumber is no number';
  return architecture === null || typeof architecture === 'string' ? null : 'architecture is no text';
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isAmount = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isTag = (one: unknown): boolean =>
  isRecord(one) &&
  typeof one['tag'] === 'string' &&
  /^0x[0-9a-f]{1,8}$/.test(String(one['hex'])) &&
  POOLS.some((pool) => pool === one['pool']) &&
  isAmount(one['bytes']) &&
  isAmount(one['outstanding']);
