/** Which files of symbols an analysis of a dump has use for. */

import { baseName } from '../../symbols/store/names.js';
import type { SymbolNeed } from '../../symbols/store/check.js';
import type { OpenedDump } from '../kernel/open/opened-dump.js';
import { readModules, type LoadedModule } from '../kernel/modules/modules.js';

/** Why the file that a module needs is not known. */
const NOT_IN_DUMP = 'the page of its image that names its PDB is not in the dump';
const IN_TRIAGE = 'a triage dump holds no page of its image';

/**
 * The kernel's need first, then those of the other modules in the order of the list.
 * @param kernelPdb of the kernel, also where its image does not tell.
 * @param only the modules to give besides the kernel, by file name; all when left out.
 */
export function symbolNeeds(
  opened: OpenedDump,
  kernelPdb: { readonly name: string; readonly guid: string; readonly age: number } | null,
  only?: ReadonlySet<string>,
): SymbolNeed[] {
  const isTriage = opened.dump.triage !== null;
  const { modules } = readModules(opened.kernel);
  const needs: SymbolNeed[] = [];
  const add = (module: LoadedModule, pdb: typeof kernelPdb): void => {
    const name = pdb === null ? '' : baseName(pdb.name);
    needs.push(
      pdb === null || name === ''
        ? { module: module.moduleName, request: null, note: isTriage ? IN_TRIAGE : NOT_IN_DUMP }
        : {
            module: module.moduleName,
            request: { kind: 'pdb', name, guid: pdb.guid, age: pdb.age, image: module.name },
          },
    );
  };
  const kernelBase = opened.kernel.image?.base;
  const kernel = modules.find(({ base }) => base === kernelBase);
  if (kernel !== undefined) add(kernel, kernelPdb);
  for (const module of modules) {
    if (module !== kernel && (only === undefined || only.has(module.name))) add(module, module.codeView);
  }
  return needs;
}
