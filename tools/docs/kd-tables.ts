/** The commands of `dumpleak kd` in docs/kd.md, between `<!-- commands -->` and `<!-- end -->`: made of the registry. */

import type { KdCommand } from '../../src/kd/command.js';
import { KD } from '../../src/kd/registry.js';

const STANDINGS: Readonly<Record<KdCommand['standing'], string>> = {
  same: 'as the debugger',
  differs: 'differs',
  ours: 'ours',
};

/** Characters that a table or Markdown would take for its own. */
const cell = (text: string): string => text.replace(/[|<>*_[\]\\]/g, '\\$&');
const code = (text: string): string => (text.includes('`') ? `\`\` ${text} \`\`` : `\`${text.replaceAll('|', '\\|')}\``);

function row({ usage, summary, flags = [], standing, differs }: KdCommand): string {
  const typed = flags.map(([flag, what]) => `${code(flag)} ${cell(what)}`).join('; ');
  const notes = differs === undefined ? STANDINGS[standing] : `${STANDINGS[standing]}: ${cell(differs)}`;
  return `| ${usage.map(code).join('<br>')} | ${cell(summary)}${typed === '' ? '' : `. ${typed}`} | ${notes} |`;
}

/** The text with the table made anew. Throws where it has no place for one. */
export function withCommands(text: string): string {
  const found = /(<!-- commands -->\n)[^]*?(<!-- end -->)/.exec(text);
  if (found === null) throw new Error('docs/kd.md has no place for the commands');
  const parts = KD.families.map(
    ({ title, commands }) => `### ${title}\n\n| type | what | here |\n| --- | --- | --- |\n${commands.map(row).join('\n')}\n`,
  );
  return text.replace(found[0], () => `${found[1] ?? ''}\n${parts.join('\n')}\n${found[2] ?? ''}`);
}
