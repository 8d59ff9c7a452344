/** Who holds the objects of a suspect, on a page. */

import type { Holders, Suspect, Verdict } from '../../result/result.js';
import { counted, percent, thousands, utc } from '../../views/print/format.js';
import { markup, joined, type SafeHtml } from './safe-html.js';
import { dataTable } from './table.js';

const MOST_TARGETS = 5;

/** Who the verdict says is behind it, where that is a process or are references; null elsewhere. */
export function culpritPart({ culprit }: Verdict): SafeHtml | null {
  if (!culprit || (culprit.kind !== 'process' && culprit.kind !== 'kernel-references')) return null;
  const who =
    culprit.kind === 'process' && culprit.process !== null
      ? markup`<code>${culprit.process.image}</code> (pid ${culprit.process.pid})`
      : markup`references of the kernel or of a driver`;
  return markup`<h2 class="after">Who is behind it</h2><p>${who}${culprit.confidence !== null && markup`, confidence ${culprit.confidence}`}</p><ul class="for">${culprit.because.map((one) => markup`<li>${one}</li>`)}</ul>`;
}

/** The holders of a suspect whose tag is an object type's; null for others. `id` begins the ids of its tables. */
export function holdersPart({ holders }: Suspect, id: string): SafeHtml | null {
  if (!holders) return null;
  const { type, objects, handles, withoutHandle, complete } = holders;
  return markup`<h3>Who holds the ${type} objects</h3>
<p>${counted(objects, 'object')} with ${counted(handles, 'handle')} to them; ${withoutHandle === null ? 'how many have none is not known' : `no handle leads to ${thousands(withoutHandle)} of them`}.${!complete && markup` <strong>Not every handle could be read: others may hold more than is said here.</strong>`}</p>
${processTable(holders, id)}${endedTable(holders, id)}`;
}

function processTable({ processes, type }: Holders, id: string): SafeHtml {
  if (processes.length === 0) return markup`<p>No process has a handle to one.</p>`;
  return dataTable({
    id: `${id}-holders`,
    caption: `Processes with handles to ${type} objects`,
    noun: 'processes',
    columns: [
      { title: 'Process', kind: 'text' },
      { title: 'Pid', kind: 'number' },
      { title: 'Handles', kind: 'number' },
      { title: 'Objects', kind: 'number', about: 'different objects that these handles lead to' },
      { title: 'Share', kind: 'number', about: 'of all handles to objects of the type' },
      { title: 'Commonest', kind: 'text', about: 'what the handles lead to, by those that were looked at' },
    ],
    rows: processes.map((one) => [
      { show: markup`<code>${one.image}</code>` },
      { show: String(one.pid), sort: Number(one.pid) },
      { show: thousands(one.handles), sort: Number(one.handles) },
      { show: thousands(one.objects), sort: one.objects === null ? null : Number(one.objects) },
      { show: percent(one.share), sort: one.share },
      {
        show: joined(
          one.targets
            .slice(0, MOST_TARGETS)
            .map(({ name, count }) => markup`<code>${name}</code> (${thousands(count)})`),
          ', ',
        ),
      },
    ]),
  });
}

function endedTable({ ended }: Holders, id: string): SafeHtml | null {
  if (ended.length === 0) return null;
  return dataTable({
    id: `${id}-ended`,
    caption: 'Processes that have ended and are still there',
    noun: 'groups',
    columns: [
      { title: 'Program', kind: 'text' },
      { title: 'Processes', kind: 'number' },
      { title: 'Started by', kind: 'text' },
      { title: 'First end', kind: 'text' },
      { title: 'Last end', kind: 'text' },
    ],
    rows: ended.map((one) => [
      { show: markup`<code>${one.image}</code>` },
      { show: thousands(one.count), sort: Number(one.count) },
      {
        show:
          one.parentPid === null
            ? 'not known'
            : `${one.parentImage ?? 'a process that is gone'} (pid ${String(one.parentPid)})`,
      },
      { show: utc(one.firstExit), sort: one.firstExit },
      { show: utc(one.lastExit), sort: one.lastExit },
    ]),
  });
}
