/** The suspects of a page: what a tag holds, the drivers with their evidence, what speaks for it and against it. */

import type { AnalysisResult, Confidence, Evidence, Note, Suspect, SuspectDriver } from '../../result.js';
import { counted, debuggerAddress, humanBytes, parseHex, percent, thousands } from '../format.js';
import { EVIDENCE_KINDS, evidenceBytes, moduleOf } from '../text/analyze-suspects.js';
import { hasWideAddresses } from '../text/dump-kind.js';
import { hexAndText, searchedSentences } from '../text/search.js';
import { markup, joined, type HtmlValue, type SafeHtml } from './safe-html.js';

/** Places of one driver that are shown at once; the others open. */
const OPEN_EVIDENCE = 4;
/** Of one driver in all: a file with a million of them is not read by anyone. */
const MOST_EVIDENCE = 100;
const MOST_SUSPECTS = 20;
const MOST_DRIVERS = 30;

/** Classes of marks. */
export const CONFIDENCE_TONES: Readonly<Record<Confidence, string>> = { high: 'bad', medium: 'warn', low: '' };

/** How sure a finding is, as a mark. */
export function confidenceBadge(confidence: Confidence): SafeHtml {
  return markup`<span class="badge ${CONFIDENCE_TONES[confidence]}">confidence ${confidence}</span>`;
}

/** A section for each suspect. */
export function suspectSections(result: AnalysisResult): SafeHtml {
  const shown = result.suspects.slice(0, MOST_SUSPECTS);
  const more = result.suspects.length - shown.length;
  return markup`${shown.map((suspect, i) => suspectSection(result, suspect, i, shown.length))}${more > 0 && markup`<section><p>And ${counted(more, 'more suspect')}: analyze --json has them.</p></section>`}`;
}

function suspectSection(result: AnalysisResult, suspect: Suspect, index: number, count: number): SafeHtml {
  const id = `suspect-${index + 1}`;
  const number = count === 1 ? '' : ` ${index + 1}`;
  return markup`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">Suspect${number}: tag <code>${suspect.tag}</code> in ${suspect.pool} pool ${confidenceBadge(suspect.confidence)}</h2>
<dl>${figures(suspect)}</dl>
${drivers(result, suspect)}
<div class="pair">
${noteList('Speaks for it', 'for', suspect.reasons)}
${noteList('Speaks against it, or is not known', 'against', suspect.against)}
</div>
${suspect.searched !== null && markup`<p class="soft">${searchedSentences(suspect.searched)}</p>`}
</section>
`;
}

function figures(suspect: Suspect): SafeHtml {
  const average = suspect.averageBytes;
  const shares = [
    suspect.shareOfPool === null ? null : `${percent(suspect.shareOfPool)} of ${suspect.pool} pool`,
    suspect.shareOfMemory === null ? null : `${percent(suspect.shareOfMemory)} of physical memory`,
  ];
  return markup`<dt>Holds</dt><dd><strong>${humanBytes(suspect.bytes)}</strong> (${thousands(suspect.bytes)} bytes) in ${counted(suspect.outstanding, 'allocation')}${average !== null && `, ${thousands(Math.round(average))} bytes on average`}</dd>
<dt>Share</dt><dd>${shares.every((share) => share === null) ? 'not known' : joined(shares, ', ')}</dd>`;
}

function noteList(title: string, kind: string, notes: readonly Note[]): SafeHtml | null {
  if (notes.length === 0) return null;
  return markup`<div><h3>${title}</h3><ul class="${kind}">${notes.map(({ message }) => markup`<li>${message}</li>`)}</ul></div>`;
}

function drivers(result: AnalysisResult, suspect: Suspect): SafeHtml {
  if (suspect.drivers.length === 0) {
    return markup`<p><strong>No driver is named:</strong> ${suspect.searched === null ? 'the modules were not searched for the tag.' : 'no module that could be searched holds the tag.'}</p>`;
  }
  const [strong, weak] = [
    suspect.drivers.filter(({ confidence }) => confidence !== 'low'),
    suspect.drivers.filter(({ confidence }) => confidence === 'low').slice(0, MOST_DRIVERS),
  ];
  const show = (driver: SuspectDriver): SafeHtml => driverMarkup(result, driver);
  const folded =
    strong.length > 0 && weak.length > 0
      ? markup`<details><summary>${counted(weak.length, 'more module')} with weak evidence: holding the tag's letters alone says little</summary>${weak.map(show)}</details>`
      : weak.map(show);
  const more = suspect.drivers.length - Math.min(strong.length, MOST_DRIVERS) - weak.length;
  return markup`<h3>Drivers, best first</h3>
${strong.slice(0, MOST_DRIVERS).map(show)}${folded}${more > 0 && markup`<p>And ${counted(more, 'more driver')}: analyze --json has them.</p>`}`;
}

function driverMarkup(result: AnalysisResult, driver: SuspectDriver): SafeHtml {
  const module = moduleOf(result, driver);
  const { version, path } = module ?? { version: null, path: null };
  const about = version === null ? [] : [version.companyName, version.fileDescription, version.fileVersion];
  const shortName = module?.moduleName ?? driver.module.replace(/\.[^.]*$/, '');
  const wide = hasWideAddresses(result);
  const places = driver.evidence.map((evidence) => evidenceMarkup(evidence, shortName, wide));
  const folded = places.slice(OPEN_EVIDENCE, MOST_EVIDENCE);
  const more = places.length - MOST_EVIDENCE;
  return markup`<div class="driver"><div class="name"><h4><code>${driver.module}</code></h4>${confidenceBadge(driver.confidence)}<span class="soft data">${joined(about, ', ')}</span></div>
${path !== null && markup`<p class="soft"><code>${path}</code></p>`}
${places.slice(0, OPEN_EVIDENCE)}
${folded.length > 0 && markup`<details><summary>${counted(folded.length, 'more place')}</summary>${folded}${more > 0 && markup`<p>And ${counted(more, 'more place')}: analyze --json has them.</p>`}</details>`}
</div>
`;
}

function evidenceMarkup(evidence: Evidence, shortName: string, wide: boolean): SafeHtml {
  const address = parseHex(evidence.address);
  const offset = parseHex(evidence.offset);
  const { section, executable, instruction, symbol, note } = evidence;
  const code = section === null || executable === null ? '' : executable ? ', executable' : ', not executable';
  const place: HtmlValue[] = [
    markup`<strong>${EVIDENCE_KINDS[evidence.kind]}</strong>`,
    address !== null && markup`<code>${debuggerAddress(address, wide)}</code>`,
    offset !== null && markup`<code>${shortName}+0x${offset.toString(16)}</code>`,
    symbol !== null && markup`<span>in <code>${symbol}</code></span>`,
    section !== null && markup`<span><code>${section}</code>${code}</span>`,
  ];
  const details = [
    instruction !== null && markup`<li>Instruction: <code>${instruction}</code></li>`,
    evidence.callsAllocator === true && markup`<li>A call to an allocator follows.</li>`,
    note !== null && markup`<li>${sentence(note)}</li>`,
  ].filter((detail) => detail !== false);
  return markup`<div class="evidence"><p class="place">${joined(place, ' ')}</p>
${evidence.bytes !== null && markup`<pre tabindex="0">${hexAndText(evidenceBytes(evidence))}</pre>`}
${details.length > 0 && markup`<ul>${details}</ul>`}</div>
`;
}

function sentence(text: string): string {
  const end = /[.!?]$/.test(text) ? '' : '.';
  return text.charAt(0).toUpperCase() + text.slice(1) + end;
}
