/** The suspects of a page: what a tag holds, the drivers with their evidence, what speaks for it and against it. */

import { clusterCulprit } from '../../leak/culprit.js';
import { isSuspicious } from '../../leak/suspects.js';
import type { AnalysisResult, Confidence, Note, Suspect, SuspectDriver } from '../../result/result.js';
import { candidatesTitle, candidateWords } from '../../views/print/candidate-words.js';
import { counted, humanBytes, percent, thousands, timesAsMany } from '../../views/print/format.js';
import { ownerText } from '../../views/print/tag-owner.js';
import { stepText, unclustered } from '../related.js';
import { suspectTitle } from '../suspect-title.js';
import { moduleOf } from '../text/analyze-suspects.js';
import { hasWideAddresses } from '../../views/print/dump-kind.js';
import { searchedSentences } from '../../views/search.js';
import { contentsPart } from './contents-part.js';
import { evidencePart } from './evidence-part.js';
import { holdersPart } from './holders-part.js';
import { markup, joined, type SafeHtml } from './safe-html.js';

/** Places of one driver that are shown at once; the others open. */
const OPEN_EVIDENCE = 4;
/** Of one driver in all: a file with a million of them is not read by anyone. */
const MOST_EVIDENCE = 100;
const MOST_SUSPECTS = 20;
const MOST_DRIVERS = 30;
const MOST_UNLOADED = 12;

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
  return markup`${shown.map((suspect, i) => suspectSection(result, suspect, i))}${more > 0 && markup`<section><p>And ${counted(more, 'more suspect')}: analyze --json has them.</p></section>`}`;
}

function suspectSection(result: AnalysisResult, suspect: Suspect, index: number): SafeHtml {
  const id = `suspect-${index + 1}`;
  return markup`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${suspectTitle(result.suspects, suspect)}: tag <code>${suspect.tag}</code> in ${suspect.pool} pool ${isSuspicious(suspect) && confidenceBadge(suspect.confidence)}</h2>
<dl>${figures(suspect)}</dl>
${holdersPart(suspect, id)}
${drivers(result, suspect)}
${candidates(suspect)}${contentsPart(suspect)}${known(suspect)}<div class="pair">
${noteList('Speaks for it', 'for', suspect.reasons)}
${noteList('Speaks against it, or is not known', 'against', suspect.against)}
</div>
${cluster(suspect)}${related(suspect)}${unloaded(result, suspect)}
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
  const places = driver.evidence.map((evidence) => evidencePart(evidence, shortName, wide));
  const folded = places.slice(OPEN_EVIDENCE, MOST_EVIDENCE);
  const more = places.length - MOST_EVIDENCE;
  return markup`<div class="driver"><div class="name"><h4><code>${driver.module}</code></h4>${confidenceBadge(driver.confidence)}<span class="soft data">${joined(about, ', ')}</span></div>
${path !== null && markup`<p class="soft"><code>${path}</code></p>`}
${places.slice(0, OPEN_EVIDENCE)}
${folded.length > 0 && markup`<details><summary>${counted(folded.length, 'more place')}</summary>${folded}${more > 0 && markup`<p>And ${counted(more, 'more place')}: analyze --json has them.</p>`}</details>`}
</div>
`;
}

/** What is known of it from before. */
function known({ knownIssues }: Suspect): SafeHtml | null {
  if (!knownIssues || knownIssues.length === 0) return null;
  return markup`<h3>Known</h3><ul>${knownIssues.map(({ driver, known: what, fix, source, file }) => markup`<li>${driver !== null && markup`<code>${driver}</code>: `}${what}${fix !== null && ` ${fix}`} <span class="soft">(${source}${file !== null && `; ${file}`})</span></li>`)}</ul>
`;
}

/** Who could be behind a tag of Windows. */
function candidates({ candidates: could }: Suspect): SafeHtml | null {
  const words = could ? candidateWords(could) : [];
  if (!could || words.length === 0) return null;
  return markup`<h3>${candidatesTitle(could)}</h3><ul>${words.map((line) => markup`<li>${line}</li>`)}</ul>
`;
}

/** Tags in lock step with the suspect, whose they are, and who makes them grow. */
function cluster({ cluster: found }: Suspect): SafeHtml | null {
  if (!found) return null;
  const { members, culprit } = found;
  return markup`<h3>Tags in lock step</h3><ul>${members.map(({ tag: other, pool, outstanding, ratio, owner }) => markup`<li><code>${other}</code>, ${pool} pool: ${counted(outstanding, 'allocation')}${stepText(ratio)}; ${owner === null ? 'owner not known' : ownerText(owner)}</li>`)}</ul>${culprit !== null && markup`<p>${culprit.because} ${confidenceBadge(culprit.confidence)}</p>`}
`;
}

/** Tags whose counts go with the suspect's, besides those in lock step. */
function related({ related: all, tag, cluster: found }: Suspect): SafeHtml | null {
  const others = unclustered(all ?? [], found ?? null);
  if (others.length === 0) return null;
  return markup`<h3>Tags whose counts go with <code>${tag}</code>: a hint, it may be chance</h3><ul>${others.map((other) => markup`<li><code>${other.tag}</code>, ${other.pool} pool: ${counted(other.outstanding, 'allocation')}, ${timesAsMany(other.ratio)}</li>`)}</ul>`;
}

/** Unloaded drivers, where no loaded one is named: what is outstanding may be theirs. */
function unloaded({ unloadedModules }: AnalysisResult, suspect: Suspect): SafeHtml | null {
  const gone = unloadedModules ?? [];
  const isNamed = clusterCulprit(suspect) !== null || suspect.drivers.some(({ confidence }) => confidence !== 'low');
  if (gone.length === 0 || isNamed) return null;
  const names = gone.slice(0, MOST_UNLOADED).map(({ name }) => markup`<code>${name}</code>`);
  return markup`<p>Unloaded before the dump, the latest first, and one of these may have allocated it: ${joined(names, ', ')}${gone.length > names.length && `, and ${counted(gone.length - names.length, 'more', 'more')}: in the table of modules`}.</p>`;
}
