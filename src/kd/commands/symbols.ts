/** Symbols: `x`, `ln`, `.sympath`, `.symfix`, `.reload`. */

import { printable } from '../../../parsers/text-safety.js';
import type { LoadedModule } from '../../kernel/modules/modules.js';
import type { Call, Family } from '../command.js';
import { KdError } from '../kd-error.js';
import { unquoted } from '../../views/words.js';
import { splitName } from '../symbols/module-symbols.js';
import { wildcard } from '../symbols/symbol-table.js';

/** Microsoft's, which `.symfix` stands for. */
const PUBLIC_SERVER = 'https://msdl.microsoft.com/download/symbols';

/** What is said of a module without symbols. */
function noSymbols(module: LoadedModule, problem: string | null): KdError {
  const why = problem === null ? '' : `: ${problem}`;
  return new KdError(
    `*** ERROR: Module load completed but symbols could not be loaded for ${printable(module.name)}${why}`,
    'input',
  );
}

/** `x [/0 | /1 | /2] Module!Pattern`. */
async function examine({ session, words }: Call): Promise<void> {
  const options = words.filter((word) => /^[/-]/.test(word));
  const [text, ...more] = words.filter((word) => !/^[/-]/.test(word));
  const unknown = options.find((word) => !/^[/-][012]$/.test(word));
  if (unknown !== undefined) throw new KdError(`x ${printable(unknown)} is not here: x has /0, /1 and /2`);
  if (text === undefined || more.length > 0) throw new KdError('x wants Module!Pattern, as in x nt!Pool*');
  const form = options.at(-1)?.slice(1) ?? '';
  const [first, rest] = splitName(text);
  const ofModule = wildcard(rest === null ? 'nt' : first);
  const pattern = wildcard(rest ?? first);
  const modules = session.symbols.modules.filter(({ moduleName, name }) => ofModule.test(moduleName) || ofModule.test(name)); // prettier-ignore
  if (modules.length === 0)
    throw new KdError(`Couldn't resolve 'x ${printable(text)}': no module is called so`, 'input');
  const gap = session.wide ? '   ' : '  ';
  for (const module of modules) {
    const table = await session.symbols.tableOf(module);
    if (table.origin === 'none') {
      // Of many modules, those without symbols are passed over.
      if (modules.length === 1) throw noSymbols(module, table.problem);
      continue;
    }
    for (const { name, rva, isFunction } of table.match(pattern)) {
      const full = `${module.moduleName}!${printable(name)}`;
      const at = session.show(module.base + BigInt(rva));
      const kind = isFunction ? ' (<no parameter info>)' : ' = <no type information>';
      if (form === '0') await session.out.line(at);
      else if (form === '1') await session.out.line(full);
      else if (form === '2') await session.out.line(`${at}          ${full}`);
      else await session.out.line(`${at}${gap}${full}${kind}`);
    }
  }
}

/** `ln Address`. */
async function listNearest({ session, rest }: Call): Promise<void> {
  const { address } = await session.addressOf(rest);
  const module = session.symbols.at(address);
  if (module === null) return;
  const table = await session.symbols.tableOf(module);
  const rva = Number(address - module.base);
  const { before, after } = table.around(rva);
  const entry = (symbol: { name: string; rva: number }, offset: number): string => {
    const plus = offset === 0 ? '' : `+0x${offset.toString(16)}`;
    return `(${session.show(module.base + BigInt(symbol.rva))})   ${module.moduleName}!${printable(symbol.name)}${plus}`;
  };
  if (before === null) throw noSymbols(module, table.problem);
  const next = after === null ? '' : `   |  ${entry(after, 0)}`;
  await session.out.line(`${entry(before, rva - before.rva)}${next}`);
  if (before.rva === rva) {
    await session.out.line('Exact matches:');
    await session.out.line(`    ${module.moduleName}!${printable(before.name)}`);
  }
}

async function symbolPath({ session, name, rest }: Call): Promise<void> {
  const { host } = session;
  const given = rest.trim();
  if (name === '.symfix') {
    // The word names the public server, as a path that is typed would.
    const added = given.startsWith('+') ? given.slice(1).trim() : null;
    const folder = unquoted(added ?? given);
    const server = `srv*${folder === '' ? '' : `${folder}*`}${PUBLIC_SERVER}`;
    session.symbols.use(await host.openSymbols(added === null || host.symbolPath === '' ? server : `${host.symbolPath};${server}`)); // prettier-ignore
    return;
  }
  if (given !== '') {
    const added = given.startsWith('+') ? given.slice(1).trim() : null;
    const path = unquoted(added ?? given);
    const all = added === null || host.symbolPath === '' ? path : `${host.symbolPath};${path}`;
    session.symbols.use(await host.openSymbols(all));
  }
  const shown = host.symbolPath === '' ? '<empty>' : printable(host.symbolPath);
  await session.out.line(`Symbol search path is: ${shown}`);
}

/** `.reload`: symbols are read again when they are next asked for; `/f` reads those of a module, or of all, at once. */
async function reload({ session, words }: Call): Promise<void> {
  const names = words.filter((word) => !/^[/-]/.test(word));
  const unknown = words.find((word) => /^[/-]/.test(word) && !/^[/-][fni]$/.test(word));
  if (unknown !== undefined) throw new KdError(`.reload ${printable(unknown)} is not here: .reload has /f, /n and /i`);
  session.symbols.forget();
  const asked = names.map((one) => unquoted(one).replace(/=.*$/, ''));
  const modules = asked.map((one) => {
    const module = session.symbols.named(one.replace(/\.\w+$/, '')) ?? session.symbols.named(one);
    if (module === null) throw new KdError(`"${printable(one)}" was not found in the image list.`, 'input');
    return module;
  });
  for (const module of modules) {
    const table = await session.symbols.tableOf(module);
    if (table.origin !== 'pdb') throw noSymbols(module, table.problem);
  }
  if (names.length > 0) return;
  await session.out.line('Loading Kernel Symbols');
  const dots = '.'.repeat(session.symbols.modules.length);
  for (let at = 0; at < dots.length; at += 64) await session.out.line(dots.slice(at, at + 64));
  await session.out.line('Loading User Symbols');
  await session.out.line();
  await session.out.line('Loading unloaded module list');
}

export const symbols: Family = {
  title: 'Symbols',
  commands: [
    {
      names: ['x'],
      usage: ['x [/0 | /1 | /2] Module!Pattern'],
      summary: 'Symbols by name, with * and ?',
      flags: [
        ['/0', 'addresses alone'],
        ['/1', 'names alone'],
        ['/2', 'addresses and names'],
      ],
      standing: 'differs',
      differs:
        'Names come from PDBs where the symbol path leads to them, else from the tables of kernels and the export directories: there are fewer then. Types are not shown.',
      run: examine,
    },
    {
      names: ['ln'],
      usage: ['ln Address'],
      summary: 'The symbols around an address',
      standing: 'differs',
      differs: 'Source lines are not read.',
      run: listNearest,
    },
    {
      names: ['.sympath', '.symfix'],
      usage: ['.sympath [+] [Path]', '.symfix [+] [Folder]'],
      summary:
        "Shows or sets where symbols are looked for; .symfix sets Microsoft's public server, and a folder to keep them in",
      standing: 'differs',
      differs: 'Without a folder, .symfix keeps symbols where srv*SERVER does; with --offline no server is asked.',
      run: symbolPath,
    },
    {
      names: ['.reload'],
      usage: ['.reload [/f] [Module]'],
      summary: 'Has symbols read again',
      flags: [['/f', 'those of the module at once, which is done anyway where one is named']],
      standing: 'differs',
      differs: 'Symbols are read when they are asked for; layouts of the kernel that the dump was opened with stay.',
      run: reload,
    },
  ],
};
