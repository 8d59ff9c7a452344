/**
 * The views, by the debugger's name for each. To add one: a file here that exports a `View` (see view.ts), and a line. A view
 * loads what it reads with when it reads, so that all of them can be at hand.
 */

import { info } from './info.js';
import { modules } from './modules.js';
import { handles } from './objects/handles.js';
import { holders } from './objects/holders.js';
import { object } from './objects/object.js';
import { objects } from './objects/objects.js';
import { processes } from './objects/processes.js';
import { thread } from './objects/thread.js';
import { bigPool } from './pool/bigpool.js';
import { block } from './pool/block.js';
import { pool } from './pool/pool.js';
import { poolFind } from './pool/poolfind.js';
import { poolVal } from './pool/poolval.js';
import { verifier } from './pool/verifier.js';
import { poolTag } from './pooltag.js';
import { poolUsed } from './poolused.js';
import { search } from './search.js';
import type { AnyView } from './view.js';
import { vm } from './vm.js';

const VIEWS: readonly AnyView[] = [
  ...[bigPool, block, pool, poolFind, poolTag, poolUsed, poolVal, verifier],
  ...[handles, holders, object, objects, processes, thread],
  ...[info, modules, search, vm],
];

/** The view that a line of the debugger asks for by its first word, and the words after it; null where there is none. */
export function viewOf(line: string): { readonly view: AnyView; readonly words: readonly string[] } | null {
  const [command = '', ...words] = line.match(/"[^"]*"|\S+/g) ?? [];
  const view = VIEWS.find((one) => one.command === command.toLowerCase());
  return view === undefined ? null : { view, words };
}
