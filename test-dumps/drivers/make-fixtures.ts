/** Builds the fixtures anew: `node build/test-dumps/drivers/make-fixtures.js`. */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { Compiler } from './compile.js';
import { FIXTURE_SPECS, FIXTURES, largeName, TRUTH } from './fixtures.js';
import { generateLargeDriver } from './large.js';
import { ARCHITECTURES, generateDriver } from './source.js';

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
for (const architecture of ARCHITECTURES) {
  const file = await compiler.compile(generateLargeDriver(architecture));
  writeFileSync(new URL(largeName(architecture), FIXTURES), gzipSync(file, { level: 9 }));
}
