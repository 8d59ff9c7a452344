/** What the dump is of: the target, the bug check, the time. */

import type { Family } from '../command.js';
import { bugCheckLines, targetLines, timeLines } from '../show/target.js';
import { VERSION } from '../../version.js';

export const system: Family = {
  title: 'The dump',
  commands: [
    {
      names: ['.bugcheck'],
      usage: ['.bugcheck'],
      summary: 'Code and arguments of the bug check',
      standing: 'same',
      run: async ({ session }) => session.out.text(bugCheckLines(session)),
    },
    {
      names: ['vertarget'],
      usage: ['vertarget'],
      summary: 'Which Windows the dump is of',
      standing: 'differs',
      differs: 'Times are in UTC, for the dump does not hold the time zone of who reads it.',
      run: async ({ session }) => session.out.text(targetLines(session)),
    },
    {
      names: ['version'],
      usage: ['version'],
      summary: 'Which Windows, and which dumpleak',
      standing: 'differs',
      differs: 'The last line names dumpleak instead of the debugger and its libraries.',
      run: async ({ session }) => session.out.text(`${targetLines(session)}dumpleak ${VERSION}\n`),
    },
    {
      names: ['.time'],
      usage: ['.time'],
      summary: 'When the dump was made, and how long the system was up',
      standing: 'differs',
      differs: 'Times are in UTC.',
      run: async ({ session }) => session.out.text(timeLines(session)),
    },
  ],
};
