/** How to get the stacks of the first suspect, on its page: each step opens, with commands to copy. */

import type { Recipe } from '../../result/result.js';
import { markup, type SafeHtml } from './safe-html.js';

export function recipePart({ steps }: Recipe): SafeHtml {
  return markup`<p>What each costs stands above its commands.</p>
${steps.map(
  ({ title, cost, where, commands, note }) => markup`<details><summary>${title}</summary>
<p>${cost}</p>
<p class="soft">${where === 'debugger' ? 'In a kernel debugger:' : 'At an elevated command prompt:'}</p>
<pre tabindex="0">${commands.join('\n')}</pre>
<p>${note}</p></details>
`,
)}`;
}
