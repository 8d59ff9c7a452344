/** A process of its own that searches symbols: started by the test of the shared cache, ended with its parent. */

import { identify, NT, unpack } from './store.test.helper.js';
import { SymbolStore } from './store.js';
import { parseSymbolPath } from './symbol-path.js';

process.on('message', ({ path, defaultCache }: { path: string; defaultCache: string }) => {
  const store = new SymbolStore({ path: parseSymbolPath(path, {}, { defaultCache }), identify, unpack, env: {} });
  void Promise.all([1, 2, 3, 4, 5, 6].map((age) => store.find({ ...NT, age }))).then((searches) => {
    store.close();
    process.send?.(searches);
  });
});
process.on('disconnect', () => process.exit());
