/** A worker that does what the name of its file says: hangs, dies, takes too much memory. The last process of a test. */

import { basename } from 'node:path';
import type { FromWorker, ToWorker } from './messages.js';

const say = (message: FromWorker): void => {
  process.send?.(message);
};
const hoard: number[][] = [];

if (process.send !== undefined) {
  process.on('message', (message: ToWorker) => {
    if (message.kind === 'start') {
      say({ kind: 'ready' });
      return;
    }
    const what = basename(message.task.path);
    if (what === 'hang') for (;;);
    if (what === 'die') process.kill(process.pid, 'SIGKILL');
    if (what === 'exit') process.exit(3);
    if (what === 'throw') throw new Error('planted');
    if (what === 'hoard') for (;;) hoard.push(Array.from({ length: 100_000 }, (_, i) => i));
    say({ kind: 'step', step: 'reading', done: 1, total: 2 });
    const rssBytes = what === 'large' ? 2 ** 40 : 1;
    say({ kind: 'done', outcome: { kind: 'identify', fileId: String(process.pid), members: null, cut: false }, rssBytes }); // prettier-ignore
  });
  process.on('disconnect', () => process.exit());
}
