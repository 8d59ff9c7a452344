/** Writes what in docs follows from the description of the result: `npm run docs`. A test compares. */

import { readFileSync, writeFileSync } from 'node:fs';
import { indexTemplate, withFlatTable } from './flat-docs.js';
import { withCommands } from './kd-tables.js';
import { manPage } from './man-page.js';
import { withTables } from './field-tables.js';
import { resultSchema } from './result-schema.js';

writeFileSync('docs/result.schema.json', `${JSON.stringify(resultSchema(), null, 2)}\n`);
writeFileSync('docs/result.md', withTables(readFileSync('docs/result.md', 'utf8')));
writeFileSync('docs/elasticsearch-template.json', `${JSON.stringify(indexTemplate(), null, 2)}\n`);
writeFileSync('docs/monitoring.md', withFlatTable(readFileSync('docs/monitoring.md', 'utf8')));
writeFileSync('docs/dumpleak.1', await manPage());
writeFileSync('docs/kd.md', withCommands(readFileSync('docs/kd.md', 'utf8')));
