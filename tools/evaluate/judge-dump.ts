/** Judges generated drivers in a dump of a system that has loaded them. */

import { exportsOf } from '../../src/code/image/exports.js';
import { readModules } from '../../src/kernel/modules/modules.js';
import { openBuilt } from '../../src/analysis/whole-dumps/truth.test.helper.js';
import { buildDump } from '../../test-dumps/build-dump.js';
import { driverScenario, type DriverFile, type Missing } from '../../test-dumps/drivers/scenario.js';
import { judgeDriver, type Answer } from './score.js';
import type { DriverSpec } from '../../test-dumps/drivers/source.js';

/** Judges those of one processor, each for its own tags and for `foreign` ones. */
export function judgeDump(
  architecture: DriverSpec['architecture'],
  files: readonly DriverFile[],
  missing: Missing,
  foreign: readonly string[],
): Answer[] {
  const own = files.filter(({ driver }) => driver.architecture === architecture);
  const opened = openBuilt(buildDump(driverScenario(architecture, own, missing)));
  const { modules } = readModules(opened.kernel);
  const exports = exportsOf(modules);
  return own.flatMap(({ driver }) => {
    const module = modules.find(({ name }) => name === `${driver.name}.sys`);
    if (module === undefined) throw new Error(`${driver.name} is not in the dump`);
    return judgeDriver(
      driver,
      module,
      foreign.filter((tag) => !driver.allocatedTags.includes(tag)),
      { exports },
    );
  });
}
