/**
 * What a history holds as OpenMetrics text, for `--metrics FILE`: only gauges, which Prometheus' older text format and the
 * text collector of its node exporter take as well. Labels name tags, drivers and programs, no machines and no paths.
 */

import { printable } from '../../../parsers/text-safety.js';
import type { Overview } from './overview.js';

/** More causes make a label of a series each: what is left out is counted. */
export const MOST_CAUSES = 500;

interface Family {
  /** Without `dumpleak_`. A name with a unit ends in it. */
  readonly name: string;
  readonly unit?: 'bytes' | 'seconds';
  readonly help: string;
  readonly samples: readonly (readonly [labels: Labels, value: number])[];
}
type Labels = Readonly<Record<string, string>>;

/** The text, ended by `# EOF`. `now` is when it was made. */
export function renderMetrics(overview: Overview, now: Date): string {
  return `${familiesOf(overview, now).flatMap(familyLines).join('\n')}\n# EOF\n`;
}

function familiesOf({ records, failures, machines, groups }: Overview, now: Date): Family[] {
  const verdicts = { leak: 0, no_leak: 0, undecided: 0 };
  for (const { summary } of records) {
    const { leakSuspected } = summary;
    verdicts[leakSuspected === null ? 'undecided' : leakSuspected ? 'leak' : 'no_leak']++;
  }
  const causes = groups.slice(0, MOST_CAUSES).map((group) => ({
    labels: {
      ...{ cause: group.id, tag: group.tag, pool: group.pool, driver: group.driver ?? '' },
      ...{ driver_version: group.driverVersion ?? '', process: group.process ?? '' },
    },
    group,
  }));
  const ofCauses = (value: (group: Overview['groups'][number]) => number | null): Family['samples'] =>
    causes.flatMap(({ labels, group }) => {
      const of = value(group);
      return of === null || !Number.isFinite(of) ? [] : [[labels, of] as const];
    });
  return [
    {
      name: 'dumps',
      help: 'Dumps in the history, by verdict.',
      samples: Object.entries(verdicts).map(([verdict, count]) => [{ verdict }, count]),
    },
    { name: 'unreadable_dumps', help: 'Dumps that could not be read.', samples: [[{}, failures.length]] },
    { name: 'machines', help: 'Machines that the dumps are of.', samples: [[{}, machines.length]] },
    {
      name: 'suspect_dumps',
      help: 'Dumps with the same cause: tag, pool, and the driver or process that may be named for it.',
      samples: ofCauses(({ dumps }) => dumps.length),
    },
    {
      name: 'suspect_machines',
      help: 'Machines of the dumps with the same cause.',
      samples: ofCauses(({ machines: of }) => of.length),
    },
    {
      ...{ name: 'suspect_bytes', unit: 'bytes', help: 'Most bytes that the tag holds in one of the dumps.' },
      samples: ofCauses(({ bytes }) => bytes),
    },
    {
      name: 'suspect_growth_bytes_per_hour',
      help: 'Growth between the dumps of the machine that has most of them, where it is known.',
      samples: ofCauses(({ growth }) => growth?.perHour ?? null),
    },
    {
      name: 'suspects_left_out',
      help: 'Causes that are not listed, since there are too many.',
      samples: [[{}, groups.length - causes.length]],
    },
    {
      ...{ name: 'written_timestamp_seconds', unit: 'seconds', help: 'When this was written, in Unix time.' },
      samples: [[{}, now.getTime() / 1000]],
    },
  ];
}

function familyLines({ name, unit, help, samples }: Family): string[] {
  const full = `dumpleak_${name}`;
  return [
    `# TYPE ${full} gauge`,
    ...(unit === undefined ? [] : [`# UNIT ${full} ${unit}`]),
    `# HELP ${full} ${help}`,
    ...samples.map(([labels, value]) => `${full}${labelText(labels)} ${String(value)}`),
  ];
}

function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

const escaped = (text: string): string => printable(text).replace(/[\\"]/g, '\\$&');
