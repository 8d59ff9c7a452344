/** Builds the fixtures anew: `node build/test-dumps/drivers/make-fixtures.js`. */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { Compiler } from './compile.js';
import { FIXTURE_SPECS, FIXTURES, TRUTH } from './fixtures.js';
import { generateDriver } from './source.js';

const compiler = Compiler.find();
if (compiler === null) throw new Error('clang, lld-link and llvm-dlltool are needed');
rmSync(FIXTURES, { recursive: true, force: true });
mkdirSync(FIXTURES, { recursive: true });
const truths: object[] = [];
for (const spec of FIXTURE_SPECS) {
  const driver = generateDriver(spec);
  writeFileSync(new URL(`${driver.name}.sys`, FIXTURES), await compiler.compile(driver));
  truths.push({ ...driver, source: undefined });
}
writeFileSync(new URL(TRUTH, FIXTURES), `${JSON.stringify(truths, null, 2)}\n`);
