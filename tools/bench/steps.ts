/** One step of the library in a process of its own, for the benchmark to measure: `steps.js open|analyze|no-blocks|infer|bytes|pool DUMP`. */

import { analyze } from '../../src/analysis/analyze.js';
import { readModules } from '../../src/kernel/modules/modules.js';
import { TagSums } from '../../parsers/heap/tag-sums.js';
import { poolBlocksOf } from '../../src/kernel/pool/blocks/pool-blocks.js';
import { OpenedDump } from '../../src/kernel/open/opened-dump.js';

const [step = '', path = ''] = process.argv.slice(2);
// Without its profile a kernel's tables and figures must be found by their content.
const dump = await OpenedDump.open(path, { hideProfiles: step === 'infer' });
if (step === 'open') readModules(dump.kernel);
else if (step === 'pool') process.stdout.write(String(walkPool()));
// The tag is asked for, so that the modules are searched whether it is suspicious on a machine of that size or not.
else analyze(dump, { tag: 'AcNb', sampling: step !== 'no-blocks' });
/** Bytes of pool pages that were walked. */
function walkPool(): number {
  const { blocks } = poolBlocksOf(dump.kernel);
  const walk = blocks?.walk();
  const sums = new TagSums();
  walk?.all(sums.sink);
  return (walk?.coverage.pages?.poolPages ?? 0) * 4096;
}

if (step === 'bytes') process.stdout.write(String(dump.bytesRead));
dump.close();
