/** `!analyze`: the verdict of dumpleak, under the name that hands type. */

import { run } from '../../analysis/run.js';
import { reportText } from '../../report/registry.js';
import type { Call, Family } from '../command.js';
import { KdError } from '../kd-error.js';

const MARK = "dumpleak's own analysis of pool leaks, not the debugger's !analyze";

async function analyzeDump({ session, words }: Call): Promise<void> {
  const unknown = words.find((word) => word !== '-v');
  if (unknown !== undefined) throw new KdError(`!analyze ${unknown} is not here: !analyze has -v`);
  const { lists, opened } = session;
  const result = await run(opened, {
    descriptions: lists.descriptions,
    warnings: lists.warnings,
    progress: () => {
      session.out.check();
    },
  });
  await session.out.line(`*** ${MARK} ***`);
  await session.out.line();
  await session.out.text(await reportText('text', result, { brief: !words.includes('-v') }));
}

export const analysis: Family = {
  title: 'The verdict',
  commands: [
    {
      names: ['!analyze'],
      usage: ['!analyze [-v]'],
      summary: 'What leaks pool memory, and whose it is',
      flags: [['-v', 'the whole report; without it one screen']],
      standing: 'ours',
      differs:
        "It is dumpleak's analysis of pool leaks and says so in its first line; the debugger's looks at the crash.",
      run: analyzeDump,
    },
  ],
};
