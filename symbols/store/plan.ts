/** What an isolated site carries to a machine with a network: the addresses of the files that it needs. */

import { storeParts } from './local.js';
import { requestProblem, type SymbolRequest } from './http/request.js';
import { ServerAddress } from './http/server-address.js';
import type { SymbolPath } from './symbol-path.js';

/** Microsoft's public server: its address is only written down, never asked on its own account. */
export const MICROSOFT_SERVER = 'https://msdl.microsoft.com/download/symbols';

/** A file to bring. */
export interface PlannedFile {
  readonly request: SymbolRequest;
  /** One address per server, in the order of the path, without credentials. */
  readonly urls: readonly string[];
  /** Where the file belongs below a folder that is then named in `--symbols`, with `/`. */
  readonly storePath: string;
}

/** A plan. */
export interface FetchPlan {
  readonly files: readonly PlannedFile[];
  /** Requests that no server can be asked for, and why. */
  readonly skipped: readonly { readonly request: SymbolRequest; readonly reason: string }[];
}

/**
 * The addresses of the needed files on the servers of the path; where it names none, on `fallback`. Asks nobody.
 * Equal needs are planned once.
 */
export function planFetch(
  needs: readonly SymbolRequest[],
  path: SymbolPath,
  fallback: string = MICROSOFT_SERVER,
): FetchPlan {
  const servers = path.elements.flatMap((element) =>
    element.kind === 'chain' ? element.stores.flatMap((store) => (store.kind === 'server' ? [store.server] : [])) : [],
  );
  const other = servers.length === 0 ? ServerAddress.parse(fallback) : null;
  if (other !== null) servers.push(other);
  const files = new Map<string, PlannedFile>();
  const skipped: { request: SymbolRequest; reason: string }[] = [];
  for (const request of needs) {
    const reason = requestProblem(request);
    if (reason !== null) {
      skipped.push({ request, reason });
      continue;
    }
    const parts = [...storeParts(request, false), request.name];
    const storePath = parts.join('/');
    const urls = servers.map((server) => server.printable(...parts));
    if (!files.has(storePath)) files.set(storePath, { request, urls: [...new Set(urls)], storePath });
  }
  return { files: [...files.values()], skipped };
}

/** The plan as a text of one address a line, which download programs take as their list. */
export function planText(plan: FetchPlan): string {
  return plan.files.flatMap(({ urls }) => urls.map((url) => `${url}\n`)).join('');
}
