/** One command of the debugger. Only commands that read the dump, and nothing else of the machine, are taken. */

import { redactPart } from '../redact/result.js';
import { Names } from '../redact/redactor.js';
import type { Warning } from '../result/result.js';
import { ToolError } from './tool-error.js';
import type { Tool } from './tool.js';

/** They show counts, tags and drivers. */
const WITHOUT_NAMES = ['!vm', '!poolused', '!pooltag', '!poolfind', '!poolval', '!verifier', 'lm', '.bugcheck', '?'];
/** They show memory, or names of people and places: only where names may be seen. */
const WITH_NAMES = [
  ...['!process', '!handle', '!object', '!pool', '!pte', '!locks', '!sysinfo', 'vertarget', 'x', 'ln', 'u', 's', 'dt'],
  ...['db', 'dw', 'dd', 'dq', 'da', 'du', 'dp', 'dps', 'dds', 'dqs', 'dc', '!for_each_module'],
];

const first = (command: string): string => /^\S+/.exec(command.trim())?.[0] ?? '';

export const kd: Tool = {
  name: 'kd',
  title: 'Debugger command',
  description: `One command in the look of the kernel debugger: ${WITHOUT_NAMES.join(' ')}; without redaction also ${WITH_NAMES.join(' ')}.`,
  takes: {
    dump: { type: 'string', minLength: 1, maxLength: 300, description: 'A dump, as list_dumps calls it' },
    command: { type: 'string', minLength: 1, maxLength: 300, description: '!poolused 2' },
  },
  required: ['dump', 'command'],
  row: { type: 'string' },
  answer: async ({ dump, command }, place, signal) => {
    const { folders, redactor } = place;
    const line = String(command).trim();
    // No second command, no script, no log, no alias: `$<`, `;`, line ends, `${`.
    if (/[;\r\n{}<>|]|\$/.test(line)) throw new ToolError('one command at a time, without ; $ < > | { }');
    const word = first(line);
    if (!WITHOUT_NAMES.includes(word)) {
      if (!WITH_NAMES.includes(word)) throw new ToolError(`${word} is not among the commands of this tool`);
      if (redactor !== null) throw new ToolError(`${word} shows names or memory: the server was started with redaction`); // prettier-ignore
    }
    const { path, id } = folders.dump(String(dump));
    const text = await place.run(['kd', `--command=${line}`, '--quiet', '--offline', '--', path], signal);
    let shown = text;
    if (redactor !== null) {
      const info = JSON.parse(await place.run(['info', '--json', '--quiet', '--offline', '--', path], signal)) as { dump: { path: string }; warnings: Warning[]; system?: { machineName?: string | null } | null }; // prettier-ignore
      const names = new Names(redactor);
      names.learnFile('dump', path);
      const machine = info.system?.machineName;
      if (machine !== null && machine !== undefined) names.host(machine);
      // Learns what stands in the paths.
      redactPart(info, redactor);
      shown = names.text(text);
    }
    const rows = shown.replaceAll('\r', '').replaceAll('\t', '  ').trimEnd().split('\n');
    return { facts: { dump: id, command: line }, rows, text: rows.slice(0, 12).join('\n') };
  },
};
