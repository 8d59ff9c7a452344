/** The page of one dump: the verdict first, then pictures, evidence, tables. A pure function of the result. */

import type { AnalysisResult, MemoryInfo, Warning } from '../../result/result.js';
import { counted, elapsed, humanBytes, humanPages, thousands, utc } from '../../views/print/format.js';
import { tagInWords } from '../../result/tag.js';
import { thirdPartyHolders } from '../../leak/tags/third-party.js';
import { debuggerSections } from '../text/analyze-windbg.js';
import { canHoldPoolTables, dumpKind, whyNoTags } from '../../views/print/dump-kind.js';
import { baseName, bugCheckText, fileRows, systemName, systemRows } from '../../views/print/identity.js';
import { createStyle } from '../../views/print/style.js';
import { culpritPart } from './holders-part.js';
import {
  memoryTable,
  moduleTable,
  reconciliationList,
  tagTable,
  unloadedTable,
  whereTable,
} from './analysis-tables.js';
import { pageSection, renderPage, type Section } from './page.js';
import { poolBars } from './pool-bars.js';
import { recipePart } from './recipe-part.js';
import { markup, joined, type SafeHtml } from './safe-html.js';
import { confidenceBadge, suspectSections } from './suspect-sections.js';
import { whereNotes } from '../where-memory.js';
import { tagTreemaps } from './treemap.js';

/** Third-party holders that are named above the table of tags. */
const MOST_HOLDERS = 8;

export interface AnalysisPageOptions {
  /** The page that lists this one, relative to it: a link back is shown. */
  index?: string | undefined;
}

/** The document, ended by a line feed. */
export function renderAnalysisPage(result: AnalysisResult, options: AnalysisPageOptions = {}): string {
  const sections: Section[] = [
    ['limits', 'Pool use', pageSection('limits', 'Pool use against its limits', poolBars(result))],
    ['treemap', 'Pictures', pageSection('treemap', 'What holds the pools', tagTreemaps(result))],
    ['suspect-1', 'Suspects', result.suspects.length === 0 ? null : suspectSections(result)],
    [
      'recipe',
      'Stacks',
      pageSection(
        'recipe',
        `For the stacks of tag ${tagInWords(result.verdict.recipe?.tag ?? '')}`,
        result.verdict.recipe ? recipePart(result.verdict.recipe) : null,
      ),
    ],
    ['memory', 'Memory', pageSection('memory', 'Memory', memoryPart(result))],
    ['tags', 'Tags', pageSection('tags', 'Pool tags', tagPart(result))],
    ['modules', 'Modules', pageSection('modules', 'Modules', modulePart(result))],
    ['dump', 'Dump', pageSection('dump', 'This dump', identityPart(result))],
    ['warnings', 'Warnings', pageSection('warnings', 'Warnings', warningList(result.warnings))],
    ['debugger', 'Debugger', debuggerPart(result)],
  ];
  // Without pools to speak of, what the dump is and how it ended is what it has to tell.
  if (result.poolTags === null) sections.sort(([a], [b]) => Number(b === 'dump') - Number(a === 'dump'));
  const { run } = result;
  return renderPage({
    title: `${result.verdict.headline} - ${baseName(result.dump.path)} - dumpleak`,
    kind: 'pool analysis of one dump',
    lead: markup`${options.index !== undefined && markup`<p><a href="${options.index}">All dumps</a></p>`}
${verdictSection(result)}`,
    sections,
    footer: markup`<p>Made by dumpleak ${run.version} at ${utc(run.startedAt)} from ${baseName(result.dump.path)}: ${humanBytes(run.bytesRead)} read in ${elapsed(run.elapsedMs)}. This page loads nothing and sends nothing.</p>`,
  });
}

function verdictSection(result: AnalysisResult): SafeHtml {
  const { verdict, dump, warnings } = result;
  const { leakSuspected } = verdict;
  const judged = leakSuspected === null ? 'not decided' : leakSuspected ? 'leak suspected' : 'no leak suspected';
  const tone = leakSuspected === null ? 'warn' : leakSuspected ? 'bad' : 'good';
  const confidence = leakSuspected === true ? result.suspects[0]?.confidence : undefined;
  const facts = [
    markup`<code>${baseName(dump.path)}</code>`,
    result.system?.machineName ?? null,
    systemName(result.system),
    dump.systemTime === null ? null : utc(dump.systemTime),
    warnings.length === 0 ? null : markup`<a href="#warnings">${counted(warnings.length, 'warning')}</a>`,
  ];
  const steps = verdict.nextSteps;
  return markup`<section id="verdict" class="verdict ${tone}" aria-labelledby="verdict-title">
<p class="badges"><span class="badge ${tone}">${judged}</span>${confidence !== undefined && confidenceBadge(confidence)}</p>
<h1 id="verdict-title">${verdict.headline}</h1>
<p class="facts">${joined(facts, ' \u00b7 ')}</p>
${culpritPart(verdict)}
${limits(result)}
${steps.length > 0 && markup`<h2 class="after">Next steps</h2><ol>${steps.map((step) => markup`<li>${step}</li>`)}</ol>`}
</section>
`;
}

/** For a kind of dump without pool tables: that it has none. */
function limits({ dump }: AnalysisResult): SafeHtml | null {
  if (canHoldPoolTables(dump)) return null;
  return markup`<p>A ${dumpKind(dump)} holds no pool tables: from it a pool leak can neither be seen nor be ruled out.</p>`;
}

function memoryPart(result: AnalysisResult): SafeHtml | null {
  const { memory, poolTags, dump } = result;
  if (memory === null) {
    return canHoldPoolTables(dump) ? markup`<p>The memory counters could not be read.</p>` : null;
  }
  const failures = memory.poolAllocationFailures;
  return markup`${memory.flags.length > 0 && markup`<ul class="notes">${memory.flags.map(({ message }) => markup`<li>${message}</li>`)}</ul>`}
${poolTags !== null && markup`<h3>What the tags explain of each pool</h3>${reconciliationList(poolTags)}`}
${wherePart(result)}
${failures !== null && markup`<p>Pool allocations that failed since the system started: ${thousands(failures.count)}</p>`}
<details><summary>All memory figures</summary>
${memoryTable(memory)}${pageFiles(memory)}</details>`;
}

/** Where physical memory and commit are. */
function wherePart(result: AnalysisResult): SafeHtml | null {
  const table = whereTable(result);
  if (table === null) return null;
  return markup`<h3>Where physical memory and commit are</h3>${table}${whereNotes(result.whereMemoryIs ?? []).map((note) => markup`<p class="soft">${note}</p>`)}`;
}

function pageFiles({ pageFiles: files }: MemoryInfo): SafeHtml | null {
  if (files === null || files.length === 0) return null;
  return markup`<h3>Page files</h3><ul>${files.map(
    (file) =>
      markup`<li><code>${file.path ?? 'without a name'}</code>: ${humanPages(file.currentPages)} now, ${humanPages(file.freePages)} of it free; ${humanPages(file.minimumPages)} to ${humanPages(file.maximumPages)}</li>`,
  )}</ul>`;
}

function tagPart(result: AnalysisResult): SafeHtml | null {
  if (result.poolTags !== null) return markup`${thirdParty(result)}${tagTable(result)}`;
  return canHoldPoolTables(result.dump) ? markup`<p>${whyNoTags(result)}</p>` : null;
}

/** Tags of drivers that are no part of Windows. */
function thirdParty(result: AnalysisResult): SafeHtml | null {
  const holders = thirdPartyHolders(result).slice(0, MOST_HOLDERS);
  if (holders.length === 0) return null;
  const each = holders.map(
    ({ row, owner, bytes }) =>
      markup`<code>${row.tag}</code> ${humanBytes(bytes)} (${owner.module}${owner.confidence === 'high' ? '' : ', probably'})`,
  );
  return markup`<p>Largest third-party holders: ${joined(each, ', ')}</p>`;
}

function modulePart(result: AnalysisResult): SafeHtml | null {
  const [loaded, unloaded] = [moduleTable(result), unloadedTable(result.unloadedModules)];
  if (loaded === null && unloaded === null) return null;
  return markup`${loaded}${unloaded !== null && markup`<h3>Unloaded</h3>${unloaded}`}`;
}

function identityPart(result: AnalysisResult): SafeHtml {
  const { dump, system } = result;
  const rows = [...fileRows(dump), ...systemRows(dump, system)];
  return markup`<dl>${rows.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`)}${dump.bugCheck !== null && markup`<dt>Bug check</dt><dd><code>${bugCheckText(dump.bugCheck)}</code></dd>`}</dl>`;
}

function warningList(warnings: readonly Warning[]): SafeHtml | null {
  if (warnings.length === 0) return null;
  return markup`<ul class="notes">${warnings.map(({ where, message }) => markup`<li>${message} <span class="soft">(${where})</span></li>`)}</ul>`;
}

/** The same findings as the debugger's commands print them, to be compared or copied. */
function debuggerPart(result: AnalysisResult): SafeHtml | null {
  const blocks = debuggerSections(result, undefined, createStyle({}));
  if (blocks.length === 0) return null;
  return markup`<section id="debugger"><details><summary><h2>As the debugger shows it</h2></summary>
${blocks.map((lines) => markup`<pre tabindex="0">${preformatted(lines)}</pre>`)}
</details></section>
`;
}

/** Lines with tabulators as blanks: what else is no letter was made safe where the line was made. */
function preformatted(lines: readonly string[]): SafeHtml {
  return markup`${lines.map((line) => [
    markup`${withoutTabs(line)}`,
    markup`
`,
  ])}`;
}

function withoutTabs(line: string): string {
  return line.split('\t').reduce((text, part) => text + ' '.repeat(8 - (text.length % 8)) + part);
}
