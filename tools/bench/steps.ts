/** One step of the library in a process of its own, for the benchmark to measure: `steps.js open|analyze|no-blocks|infer|bytes DUMP`. */

import { analyze } from '../../src/analysis/analyze.js';
import { readModules } from '../../src/kernel/modules/modules.js';
import { OpenedDump } from '../../src/kernel/open/opened-dump.js';

const [step = '', path = ''] = process.argv.slice(2);
// Without its profile a kernel's tables and figures must be found by their content.
const dump = await OpenedDump.open(path, { hideProfiles: step === 'infer' });
if (step === 'open') readModules(dump.kernel);
// The tag is asked for, so that the modules are searched whether it is suspicious on a machine of that size or not.
else analyze(dump, { tag: 'AcNb', sampling: step !== 'no-blocks' });
if (step === 'bytes') process.stdout.write(String(dump.bytesRead));
dump.close();
