/** One step of the library in a process of its own, for the benchmark to measure: `steps.js open|analyze|no-blocks|infer|bytes|slow-reads|pool DUMP`. */

import { FileSource } from '../../parsers/bytes/file-source.js';
import { ReadPace } from '../../parsers/bytes/read-pace.js';
import type { ByteSource } from '../../parsers/bytes/source.js';
import { analyze } from '../../src/analysis/analyze.js';
import { readModules } from '../../src/kernel/modules/modules.js';
import { TagSums } from '../../parsers/heap/tag-sums.js';
import { poolBlocksOf } from '../../src/kernel/pool/blocks/pool-blocks.js';
import { OpenedDump } from '../../src/kernel/open/opened-dump.js';

/** Milliseconds of a read of a slow disk: nobody waits for them, the clock goes on by as many. */
const SLOW_READ = 5;
let reads = 0;
const [step = '', path = ''] = process.argv.slice(2);
// Without its profile a kernel's tables and figures must be found by their content.
const dump = step === 'slow-reads' ? onSlowDisk(path) : await OpenedDump.open(path, { hideProfiles: step === 'infer' });
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

/** Opens a dump as if each read took that long; `reads` counts them. */
function onSlowDisk(path: string): OpenedDump {
  const file = new FileSource(path);
  const slow: ByteSource = {
    name: path,
    byteLength: file.byteLength,
    read: (position, target) => {
      reads++;
      return file.read(position, target);
    },
    close: () => {
      file.close();
    },
  };
  const opened = { source: slow, fileBytes: file.byteLength, container: null, damage: null };
  return OpenedDump.over(path, opened, {}, new Date(), new ReadPace(() => reads * SLOW_READ));
}

if (step === 'slow-reads') process.stdout.write(String(reads));
if (step === 'bytes') process.stdout.write(String(dump.bytesRead));
dump.close();
