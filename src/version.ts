/** The version of this package, from its package.json. */

import { readPackageFile } from '../symbols/package-root.js';

export const VERSION: string = (JSON.parse(readPackageFile('package.json').toString('utf8')) as { version: string })
  .version;
