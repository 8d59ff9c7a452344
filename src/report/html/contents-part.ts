/** What stands in a suspect's blocks, and who was charged for them, on a page. */

import type { Suspect } from '../../result/result.js';
import { billedFindings, contentFindings, type Findings } from '../../views/print/content-findings.js';
import { markup, type SafeHtml } from './safe-html.js';

/** Null where no block was looked at. */
export function contentsPart(suspect: Suspect): SafeHtml | null {
  const [contents, billed] = [part(contentFindings(suspect)), part(billedFindings(suspect))];
  return contents === null && billed === null ? null : markup`${contents}${billed}`;
}

function part(findings: Findings | null): SafeHtml | null {
  if (findings === null) return null;
  const { title, lines, more } = findings;
  return markup`<h3>${title}</h3>
${lines.length > 0 && markup`<ul>${lines.map((line) => markup`<li>${line}</li>`)}</ul>`}${more !== null && markup`<p class="soft">${more}</p>`}
`;
}
