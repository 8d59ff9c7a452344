/** What a loaded module is linked with: the modules it imports from, and the kernel-mode driver framework. */

import { failed } from '../../../parsers/bytes/failure.js';
import { importedModules } from '../../../parsers/pe/imported-modules.js';
import type { LoadedModule } from './modules.js';
import { searchBytes } from './tag-search.js';

/** The component that a framework driver asks the loader of the framework for, in its bind record: UTF-16. */
const FRAMEWORK_LIBRARY = Buffer.from('KmdfLibrary\0', 'utf16le');

/** Lower-case names of the modules that it imports from; null where its import table cannot be read. */
export function importsOf({ memory, headers, base }: LoadedModule): ReadonlySet<string> | null {
  if (memory === null || headers === null) return null;
  const names = importedModules(memory, base, headers);
  return failed(names) ? null : new Set(names);
}

/**
 * Whether a driver uses the framework: it imports from its loader, or holds the name of its library. Null where neither
 * is seen and pages are missing.
 */
export function usesFramework(module: LoadedModule): boolean | null {
  const imports = importsOf(module);
  if (imports !== null) return imports.has('wdfldr.sys');
  const { hits, searched } = searchBytes([module], FRAMEWORK_LIBRARY);
  if (hits.length > 0) return true;
  return module.memory !== null && searched.pagesMissing === 0 && searched.notTranslatable === 0 ? false : null;
}
