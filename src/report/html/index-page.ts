/** The page of many dumps: which drivers leak where, which machines share a cause, what could not be read and why. */

import { counted, humanBytes, thousands, utc } from '../../views/print/format.js';
import type { BatchIndex, IndexDump, IndexGroup, IndexGrowth, IndexMachine } from './index-data.js';
import { pageSection, renderPage } from './page.js';
import { markup, joined, type HtmlValue, type SafeHtml } from './safe-html.js';
import { sparklineSvg } from './sparkline-svg.js';
import { CONFIDENCE_TONES, confidenceBadge } from './suspect-sections.js';
import { dataTable, type Cell } from './table.js';

/** Groups that are written out above their table. */
const MOST_CARDS = 12;
/** Machines that are named in a group. */
const MOST_NAMES = 12;

interface Known {
  index: BatchIndex;
  dumps: ReadonlyMap<string, IndexDump>;
  machines: ReadonlyMap<string, IndexMachine>;
}

const text = (show: string | null): Cell => ({ show: show ?? '' });
const time = (at: string | null): Cell => ({
  show: at === null ? 'n/a' : markup`<span class="time">${utc(at)}</span>`,
  sort: at,
});

/** The document, ended by a line feed. */
export function renderIndexPage(index: BatchIndex): string {
  const known: Known = {
    index,
    dumps: new Map(index.dumps.map((dump) => [dump.id, dump])),
    machines: new Map(index.machines.map((machine) => [machine.id, machine])),
  };
  const sections: [id: string, name: string, title: string, body: SafeHtml | null][] = [
    ['causes', 'Causes', 'Causes, worst first', causes(known)],
    ['failures', 'Not read', 'What could not be read', failures(index)],
    ['dumps', 'Dumps', 'Dumps', index.dumps.length === 0 ? null : dumpTable(known)],
    [
      'machines',
      'Machines',
      'Machines',
      index.machines.length === 0
        ? null
        : markup`${index.advice !== null && markup`<p>${index.advice}.</p>`}${machineTable(known)}`,
    ],
  ];
  return renderPage({
    title: `${counted(index.dumps.length, 'dump')}: ${headline(known)} - dumpleak`,
    kind: 'pool analysis of many dumps',
    lead: verdict(known),
    sections: sections.map(([id, name, title, body]) => [id, name, pageSection(id, title, body)]),
    footer: markup`<p>Made by dumpleak ${index.tool.version} at ${utc(index.generatedAt)}. This page loads nothing and sends nothing.</p>`,
  });
}

function headline({ index: { groups, dumps } }: Known): string {
  const drivers = [...new Set(groups.flatMap(({ driver, process }) => process ?? driver ?? []))];
  const leaking = dumps.filter(({ leakSuspected }) => leakSuspected).length;
  if (leaking === 0 && groups.length === 0) {
    const open = dumps.filter(({ leakSuspected }) => leakSuspected === null).length;
    if (dumps.length === 0) return 'No dump could be read';
    if (open === 0) return 'No leak suspected in any dump';
    if (open === dumps.length) return 'Not decided: no dump can tell whether pool leaks';
    return `No leak suspected in ${counted(dumps.length - open, 'dump')}; ${thousands(open)} cannot tell`;
  }
  const where = `a leak is suspected in ${thousands(leaking)} of ${counted(dumps.length, 'dump')}`;
  const [first, second, ...more] = drivers;
  if (first === undefined) return `No driver or process is named, but ${where}`;
  const names =
    second === undefined
      ? first
      : more.length === 0
        ? `${first} and ${second}`
        : `${first}, ${second} and ${counted(more.length, 'more driver')}`;
  return `${names}: ${where}`;
}

function verdict(known: Known): SafeHtml {
  const { dumps, groups, failures: failed, machines } = known.index;
  const open = dumps.length === 0 || dumps.some(({ leakSuspected }) => leakSuspected === null);
  const tone = groups.length > 0 ? 'bad' : open ? 'warn' : 'good';
  const shared = groups.filter((group) => group.machines.length > 1);
  const facts = [
    counted(dumps.length, 'dump'),
    counted(machines.length, 'machine'),
    counted(groups.length, 'cause'),
    markup`<a href="#${failed.length > 0 ? 'failures' : 'main'}">${counted(failed.length, 'file')} not read</a>`,
  ];
  return markup`<section id="verdict" class="verdict ${tone}" aria-labelledby="verdict-title">
<h1 id="verdict-title">${headline(known)}</h1>
<p class="facts">${joined(failed.length > 0 ? facts : facts.slice(0, 3), ' \u00b7 ')}</p>
${shared.length > 0 && markup`<h2 class="after">Machines that share a cause</h2><ul>${shared.slice(0, MOST_CARDS).map((group) => markup`<li>${causeName(group)}: ${machineNames(group, known)}</li>`)}</ul>`}
</section>
`;
}

function causeName({ tag, pool, driver, driverVersion, process }: IndexGroup): SafeHtml {
  const named = process ?? driver;
  const name = named === null ? 'nobody named' : markup`<code>${named}</code>`;
  return markup`${name}${driverVersion !== null && markup` ${driverVersion}`}, tag <code>${tag}</code> in ${pool} pool`;
}

/** The named ones; of the others only how many. */
function machineNames({ machines }: IndexGroup, known: Known): SafeHtml {
  const named = machines.flatMap((id) => known.machines.get(id)?.name ?? []);
  const names = named.slice(0, MOST_NAMES).map((name) => markup`<span class="data">${name}</span>`);
  const more = named.length - names.length;
  const unnamed = machines.length - named.length;
  const rest = [
    more === 0 ? null : counted(more, 'more machine'),
    unnamed === 0 ? null : counted(unnamed, 'machine without a name', 'machines without a name'),
  ].filter((part) => part !== null);
  return markup`${joined(names, ', ')}${names.length > 0 && rest.length > 0 && ' and '}${rest.join(' and ')}`;
}

/** A machine's name, or the dump that stands for one without. */
function machineLabel(id: string, known: Known): string {
  const machine = known.machines.get(id);
  if (machine === undefined) return id;
  if (machine.name !== null) return machine.name;
  const [first = ''] = machine.dumps;
  return `no name, of ${known.dumps.get(first)?.label ?? id}`;
}

function causes(known: Known): SafeHtml | null {
  const { groups } = known.index;
  if (groups.length === 0) return null;
  return markup`${groups.slice(0, MOST_CARDS).map((group) => causeCard(group, known))}
${groups.length > 3 && groupTable(known)}`;
}

function causeCard(group: IndexGroup, known: Known): SafeHtml {
  const { company, confidence, count, growth, firstSeen, lastSeen, dumps } = group;
  const newest = dumps.map((id) => known.dumps.get(id)).findLast((dump) => dump !== undefined);
  return markup`<div class="driver" id="group-${group.id}">
<div class="name"><h3>${causeName(group)}</h3>${confidenceBadge(confidence)}${company !== null && markup`<span class="soft data">${company}</span>`}</div>
<dl><dt>Seen in</dt><dd>${counted(count, 'dump')}${group.machines.length > 0 && markup` of ${counted(group.machines.length, 'machine')}: ${machineNames(group, known)}`}</dd>
<dt>First and last</dt><dd>${utc(firstSeen)} to ${utc(lastSeen)}</dd>
${growth !== null && markup`<dt>Growth</dt><dd>${growthText(growth)} ${sparklineSvg(growth.points)}</dd>`}
${newest !== undefined && markup`<dt>For example</dt><dd>${dumpLink(newest)}: ${newest.headline}</dd>`}</dl>
</div>
`;
}

const JUDGEMENTS: Readonly<Record<IndexGrowth['judgement'], string>> = {
  leak: 'grows without coming back',
  slow: 'grows slowly: years until it matters',
  load: 'rises and falls with load',
  step: 'moved once',
  flat: 'does not grow',
  'too-little-data': 'too few dumps of one machine to tell',
};

function growthText({ perHour, judgement }: IndexGrowth): string {
  return JUDGEMENTS[judgement] + (perHour === null ? '' : `, ${rateText(perHour)} an hour`);
}

function rateText(perHour: number): string {
  return `${perHour > 0 ? '+' : ''}${humanBytes(Math.round(perHour))}`;
}

/** Who is named: the process that holds it, else the driver that allocates it. */
function namedCell({ process, driver }: Pick<IndexGroup, 'process' | 'driver'>): SafeHtml | string {
  const named = process ?? driver;
  return named === null ? 'none named' : markup`<code>${named}</code>`;
}

function groupTable(known: Known): SafeHtml {
  return dataTable({
    id: 'group-table',
    noun: 'causes',
    caption: 'All causes: dumps with the same tag, and the same driver and version of it or the same process',
    columns: [
      { title: 'Driver or process', kind: 'text' },
      { title: 'Version', kind: 'text' },
      { title: 'Company', kind: 'text' },
      { title: 'Tag', kind: 'text' },
      { title: 'Pool', kind: 'text' },
      { title: 'Confidence', kind: 'number' },
      { title: 'Dumps', kind: 'number' },
      { title: 'Machines', kind: 'number' },
      { title: 'An hour', kind: 'number', about: 'Growth in an hour between dumps of one machine' },
      { title: 'Growth', kind: 'text' },
      { title: 'First seen', kind: 'text' },
      { title: 'Last seen', kind: 'text' },
    ],
    rows: known.index.groups.map((group): Cell[] => [
      { show: namedCell(group) },
      text(group.driverVersion),
      text(group.company),
      { show: markup`<code>${group.tag}</code>` },
      text(group.pool),
      { show: group.confidence, sort: RANK[group.confidence] },
      { show: thousands(group.count) },
      { show: thousands(group.machines.length) },
      rateCell(group.growth?.perHour ?? null),
      text(group.growth === null ? null : JUDGEMENTS[group.growth.judgement]),
      time(group.firstSeen),
      time(group.lastSeen),
    ]),
  });
}

function rateCell(perHour: number | null): Cell {
  return perHour === null ? text('') : { show: rateText(perHour), sort: perHour };
}

const RANK = { high: 3, medium: 2, low: 1 } as const;

function failures({ failures: failed }: BatchIndex): SafeHtml | null {
  if (failed.length === 0) return null;
  return dataTable({
    id: 'failure-table',
    noun: 'files',
    caption: `${counted(failed.length, 'file')} that could not be read`,
    columns: [
      { title: 'File', kind: 'text' },
      { title: 'Why', kind: 'text' },
      { title: 'Code', kind: 'text' },
    ],
    rows: failed.map(({ path, code, message }) => [
      { show: markup`<code class="path">${path}</code>` },
      { show: markup`<span class="long">${message}</span>` },
      { show: markup`<code>${code}</code>` },
    ]),
  });
}

/** What tells the dump from the others, as a link where it has a page. */
function dumpLink({ path, label, page }: IndexDump): SafeHtml {
  const name: HtmlValue = markup`<code title="${path}">${label}</code>`;
  return page === null ? markup`${name}` : markup`<a href="${relativeLink(page)}">${name}</a>`;
}

/** A file beside the page or below it: never another scheme, whatever the name is. */
function relativeLink(page: string): string {
  const parts = page.split('/').filter((part) => part !== '' && part !== '.' && part !== '..');
  return `./${parts.map((part) => encodeURIComponent(part.toWellFormed()).replaceAll("'", '%27')).join('/')}`;
}

function dumpTable(known: Known): SafeHtml {
  const { dumps } = known.index;
  return dataTable({
    id: 'dump-table',
    noun: 'dumps',
    caption: `${counted(dumps.length, 'dump')} that could be read`,
    columns: [
      { title: 'Dump', kind: 'text' },
      { title: 'Leak', kind: 'number', about: 'Whether a leak is suspected, and with what confidence' },
      { title: 'Finding', kind: 'text' },
      { title: 'Machine', kind: 'text' },
      { title: 'Time', kind: 'text' },
      { title: 'Driver or process', kind: 'text' },
      { title: 'Version', kind: 'text' },
      { title: 'Tag', kind: 'text' },
      { title: 'Pool', kind: 'text' },
      { title: 'Holds', kind: 'number' },
      { title: 'System', kind: 'text' },
    ],
    rows: dumps.map((dump): Cell[] => [
      { show: dumpLink(dump), sort: dump.path },
      leakCell(dump),
      { show: markup`<span class="long">${dump.headline}</span>` },
      text(dump.machine === null ? null : (known.machines.get(dump.machine)?.name ?? 'no name')),
      time(dump.systemTime),
      { show: (dump.process ?? dump.driver) && namedCell(dump) },
      text(dump.driverVersion),
      { show: dump.tag && markup`<code>${dump.tag}</code>` },
      text(dump.pool),
      dump.bytes === null ? text('') : { show: humanBytes(dump.bytes), sort: dump.bytes },
      { show: markup`<span class="long">${systemText(dump)}</span>` },
    ]),
  });
}

function leakCell({ leakSuspected, confidence }: IndexDump): Cell {
  if (leakSuspected === null) return { show: 'not decided', sort: 0.5 };
  if (!leakSuspected) return { show: 'no', sort: 0 };
  const tone = confidence === null ? 'warn' : CONFIDENCE_TONES[confidence];
  return {
    show: markup`<span class="badge ${tone}">${confidence ?? 'suspected'}</span>`,
    sort: confidence === null ? 1 : RANK[confidence],
  };
}

function systemText({ systemName, buildNumber, architecture, type }: IndexDump): string {
  const build = buildNumber === null ? null : `build ${buildNumber}`;
  return [systemName, build, architecture, type].filter((part) => part !== null).join(', ');
}

function machineTable(known: Known): SafeHtml {
  const { machines, groups } = known.index;
  const causesOf = new Map<string, IndexGroup[]>();
  for (const group of groups) for (const id of group.machines) causesOf.set(id, [...(causesOf.get(id) ?? []), group]);
  return dataTable({
    id: 'machine-table',
    noun: 'machines',
    caption: counted(machines.length, 'machine'),
    columns: [
      { title: 'Machine', kind: 'text' },
      { title: 'Dumps', kind: 'number' },
      { title: 'First seen', kind: 'text' },
      { title: 'Last seen', kind: 'text' },
      { title: 'Causes', kind: 'text' },
    ],
    rows: machines.map(({ id, dumps, firstSeen, lastSeen }): Cell[] => [
      text(machineLabel(id, known)),
      { show: thousands(dumps.length) },
      time(firstSeen),
      time(lastSeen),
      { show: markup`<span class="long">${joined((causesOf.get(id) ?? []).map(causeName), '; ')}</span>` },
    ]),
  });
}
