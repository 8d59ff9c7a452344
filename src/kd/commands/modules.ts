/** Modules: `lm`, `!lmi`, `!for_each_module`. */

import { failed, hex } from '../../../parsers/bytes/failure.js';
import { printable } from '../../../parsers/text-safety.js';
import { modules as view } from '../../views/modules.js';
import { isWrong } from '../../views/view.js';
import { unquoted } from '../../views/words.js';
import type { LoadedModule } from '../../kernel/modules/modules.js';
import type { Call, Family } from '../command.js';
import { KdError } from '../kd-error.js';
import { lmiLines } from '../show/lmi.js';
import type { Session } from '../session.js';
import type { SymbolTable } from '../symbols/symbol-table.js';
import { showView } from '../views.js';

/** Letters of `lm` and then an address of its `a`, which is any expression. */
const AT = /^\s*((?:(?:sm|1m|[kuolvtnfD])+\s+)*(?:sm|1m|[kuolvtnfD])*a)\s+(\S.*)$/s;

/** What `lm` says of symbols that were read. */
function stateOf(module: LoadedModule, table: SymbolTable, path: string): string {
  const cell = (text: string): string => text.padEnd(23);
  if (table.origin === 'pdb') return cell('(pdb symbols)') + printable(path);
  if (table.origin === 'tables') return cell('(export symbols)') + printable(module.name);
  return table.origin === 'exports' ? cell('(export symbols)') + printable(module.name) : '(no symbols)';
}

async function symbolStates(session: Session): Promise<ReadonlyMap<string, string>> {
  const states = new Map<string, string>();
  for (const module of session.symbols.modules) {
    const table = session.symbols.loaded(module);
    if (table === null || table.origin === 'none') continue;
    const pdb = await session.symbols.pdbOf(module);
    states.set(hex(module.base), stateOf(module, table, failed(pdb) ? '' : pdb.name));
  }
  return states;
}

async function listModules({ session, rest }: Call): Promise<void> {
  const at = AT.exec(rest);
  const words = at === null ? rest : `${at[1] ?? ''} ${hex(session.address(await session.evaluate(at[2] ?? '')))}`;
  const wanted = view.words(words.match(/"[^"]*"|\S+/g) ?? []);
  if (isWrong(wanted)) throw new KdError(wanted.error);
  await showView(session, view, { ...wanted, symbols: await symbolStates(session) });
}

/** A module by its name or by an address in it. Throws KdError. */
async function moduleOf(session: Session, text: string): Promise<LoadedModule> {
  const name = unquoted(text.trim());
  if (name === '') throw new KdError('!lmi wants a module or an address in it');
  const module = session.symbols.named(name) ?? session.symbols.at(session.address(await session.evaluate(name)));
  if (module === null) throw new KdError(`${printable(name)}: no loaded module holds it`, 'input');
  return module;
}

/** Aliases of `!for_each_module`, by the debugger's names. */
const ALIASES: Readonly<Record<string, (module: LoadedModule, index: number, session: Session) => string>> = {
  ModuleIndex: (_, index) => String(index).padStart(2, '0'),
  ModuleName: ({ moduleName }) => moduleName,
  ImageName: ({ path, name }) => path ?? name,
  LoadedImageName: ({ name }) => name,
  MappedImageName: () => '',
  SymbolFileName: ({ codeView }) => codeView?.name ?? '',
  Base: ({ base }, _, session) => session.pointer(base),
  End: ({ base, sizeOfImage }, _, session) => session.pointer(base + BigInt(sizeOfImage)),
  Size: ({ sizeOfImage }) => sizeOfImage.toString(16),
  TimeDateStamp: ({ timeDateStamp }) => (timeDateStamp ?? 0).toString(16).padStart(8, '0'),
  Checksum: ({ checkSum }) => (checkSum ?? 0).toString(16).padStart(8, '0'),
  FileVersion: ({ version }) => version?.fileVersion ?? '',
  ProductVersion: ({ version }) => version?.productVersion ?? '',
};
/** What they stand for. */
const ABOUT: Readonly<Record<keyof typeof ALIASES, string>> = {
  ModuleIndex: 'its number, from 00 on',
  ModuleName: 'its name',
  ImageName: 'its path, else its file name',
  LoadedImageName: 'its file name',
  MappedImageName: 'empty: no image is mapped',
  SymbolFileName: 'the PDB that it names',
  Base: 'where it begins',
  End: 'where it ends',
  Size: 'bytes',
  TimeDateStamp: 'the time stamp, hexadecimal',
  Checksum: 'the checksum, hexadecimal',
  FileVersion: 'the version of the file',
  ProductVersion: 'the version of the product',
};
const ANY_CASE = new Map(Object.entries(ALIASES).map(([name, value]) => [name.toLowerCase(), value]));

/** Text from the dump in a place of a command: it must not begin another command or leave its quotes. */
const harmless = (text: string): string => printable(text).replace(/[;"{}$]/g, '?');

async function forEachModule({ session, rest }: Call): Promise<void> {
  const command = unquoted(rest.trim()).replaceAll('\\"', '"');
  if (command === '') {
    throw new KdError('!for_each_module wants a command, as in !for_each_module .echo @#ModuleName @#Base @#End');
  }
  const unknown = [...command.matchAll(/@#(\w+)/g)].find(([, name = '']) => !ANY_CASE.has(name.toLowerCase()));
  if (unknown !== undefined) {
    throw new KdError(`${unknown[0]} is no alias here: there are ${Object.keys(ALIASES).map((name) => `@#${name}`).join(' ')}`); // prettier-ignore
  }
  const sorted = session.symbols.modules.toSorted((a, b) => (a.base < b.base ? -1 : a.base > b.base ? 1 : 0));
  for (const [index, module] of sorted.entries()) {
    const line = command.replace(/@#(\w+)/g, (_, name: string) =>
      harmless(ANY_CASE.get(name.toLowerCase())?.(module, index, session) ?? ''),
    );
    await session.run(line);
  }
}

export const modules: Family = {
  title: 'Modules',
  commands: [
    {
      names: ['lm'],
      usage: ['lm [Options] [a Address] [m Pattern | M Pattern]'],
      summary: 'Modules, loaded and unloaded',
      flags: [
        ['a Address', 'the module that holds an address'],
        ['m Pattern', 'those called so'],
        ['M Pattern', 'those whose path is so'],
        ['k', "the kernel's, which all are in a dump of the kernel"],
        ['u', "the user's, of which there are none"],
        ['o', 'without unloaded ones'],
        ['l', 'those whose symbols were read'],
        ['v', 'all that is known of each, as in lmvm nt'],
        ['t', 'with time stamps'],
        ['n', 'with file names'],
        ['f', 'with paths'],
        ['sm', 'by name'],
        ['1m', 'names alone'],
      ],
      standing: 'differs',
      differs:
        'Symbols that nobody has asked for yet stand as (no symbols), for (deferred) would promise that there are some. Time stamps are in UTC. Of an unloaded module the time of unloading is told. Of the version resource, flags, OS, type, InternalName, FileVersion as text and LegalCopyright are left out. Where nothing fits, a line says so.',
      glued: true,
      run: listModules,
    },
    {
      names: ['!lmi'],
      usage: ['!lmi Module | Address'],
      summary: 'Headers and debug data of a module',
      standing: 'differs',
      differs: 'Compiler is not read. Times are in UTC.',
      run: async ({ session, rest }) => {
        const module = await moduleOf(session, rest);
        await session.out.text(await lmiLines(session, module));
      },
    },
    {
      names: ['!for_each_module'],
      usage: ['!for_each_module Command'],
      summary: 'Runs a command for each module, with @#Base, @#End, @#ModuleName and their like in it',
      flags: Object.keys(ALIASES).map((name) => [`@#${name}`, ABOUT[name] ?? ''] as const),
      standing: 'differs',
      differs:
        'FileVersion and ProductVersion are those of the binary version. A semicolon ends the command unless it is in quotes.',
      run: forEachModule,
    },
  ],
};
