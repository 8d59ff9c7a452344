/** The analyses of a batch without the batch, in one process for the benchmark to measure: `batch-steps.js FOLDER` makes of each dump its result, its page and its line. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../src/analysis/run.js';
import { renderPage } from '../../src/batch/outputs/pages.js';
import { setEngine } from '../../src/engine.js';
import { OpenedDump } from '../../src/kernel/open/opened-dump.js';
import { TagDescriptions } from '../../src/kernel/pool/tag-descriptions.js';
import { shortResult } from '../../src/report/json.js';

setEngine();
const [folder = ''] = process.argv.slice(2);
const descriptions = new TagDescriptions([]);
let bytes = 0;
for (const name of readdirSync(folder)) {
  const path = join(folder, name);
  const dump = await OpenedDump.open(path);
  const result = await run(dump, { descriptions, path });
  bytes += renderPage(result).length + JSON.stringify(shortResult(result)).length;
  dump.close();
}
process.stdout.write(String(bytes));
