/** An analysis with the owners of so many tags, in a process of its own: `owners-steps.js DUMP COUNT` prints its time and whom it named. */

import { analyze } from '../../src/analysis/analyze.js';
import { OpenedDump } from '../../src/kernel/open/opened-dump.js';

const [path = '', count = '0'] = process.argv.slice(2);
const dump = await OpenedDump.open(path);
const before = process.cpuUsage();
const { poolTags } = analyze(dump, { owners: Number(count), sampling: false });
const { user, system } = process.cpuUsage(before);
const named = (poolTags?.rows ?? []).filter(({ owner }) => (owner ?? null) !== null);
process.stdout.write(
  JSON.stringify({
    ms: (user + system) / 1000,
    named: named.length,
    byCode: named.filter(({ owner }) => owner?.basis === 'code').length,
  }),
);
dump.close();
