/** A piece of evidence: where it stands, its bytes, the instruction, and the call that gets the tag. */

import type { Evidence, Hex } from '../../result/result.js';
import { debuggerAddress, parseHex } from '../../views/print/format.js';
import { kindFacts } from '../../result/evidence-kinds.js';
import { evidenceBytes } from '../text/analyze-suspects.js';
import { hexAndText } from '../../views/search.js';
import { joined, markup, type HtmlValue, type SafeHtml } from './safe-html.js';

/** What results have where code was followed; those of other versions have none of it. */
interface Followed {
  call?: { address: Hex; allocator: string; instruction: string | null; through: readonly string[] } | null;
  function?: { start: Hex; end: Hex } | null;
}

/** `shortName` is the module's for offsets; `wide` addresses are those of 64-bit systems. */
export function evidencePart(evidence: Evidence & Followed, shortName: string, wide: boolean): SafeHtml {
  const { section, executable, symbol } = evidence;
  const offset = parseHex(evidence.offset);
  const code = section === null || executable === null ? '' : executable ? ', executable' : ', not executable';
  const place: HtmlValue[] = [
    markup`<strong>${kindFacts(evidence.kind).words}</strong>`,
    parseHex(evidence.address) !== null && markup`<code>${at(evidence.address, wide)}</code>`,
    offset !== null && markup`<code>${shortName}+0x${offset.toString(16)}</code>`,
    symbol !== null && markup`<span>in <code>${symbol}</code></span>`,
    section !== null && markup`<span><code>${section}</code>${code}</span>`,
  ];
  const details = detailsOf(evidence, wide);
  return markup`<div class="evidence"><p class="place">${joined(place, ' ')}</p>
${evidence.bytes !== null && markup`<pre tabindex="0">${hexAndText(evidenceBytes(evidence))}</pre>`}
${details.length > 0 && markup`<ul>${details}</ul>`}</div>
`;
}

function detailsOf(evidence: Evidence & Followed, wide: boolean): SafeHtml[] {
  const { instruction, call, note, function: inside } = evidence;
  const details = [
    instruction !== null && markup`<li>Instruction: <code>${instruction}</code></li>`,
    call
      ? markup`<li>Then <code>${call.instruction ?? 'a call'}</code> at <code>${at(call.address, wide)}</code>: <strong><code>${call.allocator}</code></strong>${
          call.through.length > 0 &&
          markup`, through ${joined(
            call.through.map((name) => markup`<code>${name}</code>`),
            ', ',
          )}`
        }</li>`
      : evidence.callsAllocator === true && markup`<li>A call to an allocator follows.</li>`,
    inside &&
      markup`<li>In the function from <code>${at(inside.start, wide)}</code> to <code>${at(inside.end, wide)}</code>.</li>`,
    note !== null && markup`<li>${sentence(note)}</li>`,
  ];
  return details.filter((detail) => detail !== false && detail !== null);
}

function at(address: Hex | null, wide: boolean): string {
  const value = parseHex(address);
  return value === null ? (address ?? '') : debuggerAddress(value, wide);
}

function sentence(text: string): string {
  const end = /[.!?]$/.test(text) ? '' : '.';
  return text.charAt(0).toUpperCase() + text.slice(1) + end;
}
