/** The symbol path as engineers write it: `srv*C:\sym*https://server/symbols;D:\mine`, from the command line and the environment. */

import { homedir } from 'node:os';
import { posix, win32 } from 'node:path';
import { ServerAddress, withoutSecrets } from './http/server-address.js';

/** Where an element was written. */
export type PathOrigin = '--symbols' | '--symbol-server' | '_NT_ALT_SYMBOL_PATH' | '_NT_SYMBOL_PATH';

/** A folder laid out as a symbol store. */
export interface FolderStore {
  readonly kind: 'folder';
  readonly path: string;
  /** True for the default cache, which nobody wrote. */
  readonly implied: boolean;
}

/** An HTTP symbol server. */
export interface ServerStore {
  readonly kind: 'server';
  readonly server: ServerAddress;
}

export type Store = FolderStore | ServerStore;

/**
 * One element of the path, in search order.
 * - `folder`: a plain folder, or a file of its own.
 * - `cache`: `cache*dir`, a store that also takes what elements to its right bring.
 * - `chain`: `srv*a*b*https://c`; what a store brings is kept in the folders before it.
 */
export type PathElement = { readonly text: string; readonly origin: PathOrigin } & (
  | { readonly kind: 'folder' | 'cache'; readonly path: string }
  | { readonly kind: 'chain'; readonly stores: readonly Store[] }
);

/** What was wrong with an element; the others stand. */
export interface PathProblem {
  readonly origin: PathOrigin;
  /** The element as written, without credentials. */
  readonly element: string;
  readonly message: string;
}

/** The parsed path. */
export interface SymbolPath {
  readonly elements: readonly PathElement[];
  readonly problems: readonly PathProblem[];
  /** Where files go that have no other cache. Nothing is created there before a file needs it. */
  readonly defaultCache: string;
}

/** The variables that are read: `process.env`, or a test's own. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface SymbolPathOptions {
  /** `--symbol-server`: addresses asked after everything else. */
  servers?: readonly string[] | undefined;
  platform?: string | undefined;
  home?: string | undefined;
  defaultCache?: string | undefined;
}

/**
 * Parses `--symbols` (one text or several), then `_NT_ALT_SYMBOL_PATH`, then `_NT_SYMBOL_PATH`, as one path.
 * `;` separates elements on every system. Never throws: what cannot be used becomes a problem.
 */
export function parseSymbolPath(
  text: string | readonly string[] | null,
  env: Environment,
  options: SymbolPathOptions = {},
): SymbolPath {
  const platform = options.platform ?? process.platform;
  const home = options.home ?? homedir();
  const defaultCache = options.defaultCache ?? defaultCacheFolder(env, platform, home);
  const parser = new PathParser({ env, windows: platform === 'win32', home, defaultCache });
  for (const part of typeof text === 'string' ? [text] : (text ?? [])) parser.add(part, '--symbols');
  for (const name of ['_NT_ALT_SYMBOL_PATH', '_NT_SYMBOL_PATH'] as const) parser.add(env[name] ?? '', name);
  for (const server of options.servers ?? []) parser.addServer(server);
  return { elements: parser.elements, problems: parser.problems, defaultCache };
}

/** The user's own cache folder for symbols, by the habits of the platform. */
export function defaultCacheFolder(env: Environment, platform: string, home: string): string {
  if (platform === 'win32') {
    const local = env['LOCALAPPDATA'];
    return win32.join(local ?? win32.join(home, 'AppData', 'Local'), 'dumpleak', 'symbols');
  }
  const xdg = env['XDG_CACHE_HOME'];
  if (xdg !== undefined && posix.isAbsolute(xdg)) return posix.join(xdg, 'dumpleak', 'symbols');
  return posix.join(home, platform === 'darwin' ? 'Library/Caches' : '.cache', 'dumpleak', 'symbols');
}

/** True when the path names an HTTP server: without one, nothing is ever fetched. */
export function hasServer(path: SymbolPath): boolean {
  return path.elements.some((e) => e.kind === 'chain' && e.stores.some((store) => store.kind === 'server'));
}

interface Surroundings {
  readonly env: Environment;
  readonly windows: boolean;
  readonly home: string;
  readonly defaultCache: string;
}

/** Characters of the longest path that is read: what Windows takes as the value of a variable. */
const LONGEST_PATH = 32_767;

class PathParser {
  readonly elements: PathElement[] = [];
  readonly problems: PathProblem[] = [];
  private readonly seen = new Set<string>();
  private hasCache = false;

  constructor(private readonly around: Surroundings) {}

  add(text: string, origin: PathOrigin): void {
    if (text.length > LONGEST_PATH) {
      this.problem(origin, '...', `a path of more than ${LONGEST_PATH} characters is not read`);
      return;
    }
    // A quotation mark cannot stand in a Windows path: it only ever protects blanks.
    const whole = unquote(text.replaceAll('"', ''));
    for (const written of whole.split(';')) {
      const element = unquote(written);
      if (element !== '') this.addElement(element, origin);
    }
  }

  addServer(text: string): void {
    const address = unquote(text.replaceAll('"', ''));
    if (address !== '') this.addChain([address], safeText(address), '--symbol-server', true);
  }

  private addElement(element: string, origin: PathOrigin): void {
    const text = safeText(element);
    const parts = element.split('*').map(unquote);
    const [kind = '', ...rest] = parts;
    switch (parts.length > 1 ? kind.toLowerCase() : '') {
      case 'srv':
        this.addChain(rest, text, origin);
        break;
      case 'symsrv':
        this.addSymsrv(rest, text, origin);
        break;
      case 'cache':
        this.addCache(rest, text, origin);
        break;
      default:
        if (parts.length > 1)
          this.problem(origin, text, `${withoutSecrets(kind)}* is not a kind of element: srv*, cache* and symsrv* are`);
        else if (looksLikeUrl(element)) this.addChain([element], text, origin);
        else this.addFolder(element, text, origin);
    }
  }

  private addFolder(written: string, text: string, origin: PathOrigin): void {
    const path = this.folder(written, text, origin);
    if (path !== null) this.push({ kind: 'folder', path, text, origin }, `folder ${path}`);
  }

  private addCache(parts: readonly string[], text: string, origin: PathOrigin): void {
    const extra = parts.slice(1).some((part) => part !== '');
    if (extra) this.problem(origin, text, 'cache* takes one folder: only the first is used');
    const written = parts[0] ?? '';
    const path = written === '' ? this.around.defaultCache : this.folder(written, text, origin);
    if (path === null) return;
    this.push({ kind: 'cache', path, text, origin }, `cache ${path}`);
    this.hasCache = true;
  }

  private addSymsrv(parts: readonly string[], text: string, origin: PathOrigin): void {
    const [library = '', ...stores] = parts;
    if (!/(^|[\\/])symsrv(\.dll)?$/i.test(library)) {
      this.problem(origin, text, 'only symsrv.dll is known here: symsrv*symsrv.dll*store*store');
      return;
    }
    this.addChain(stores, text, origin);
  }

  private addChain(parts: readonly string[], text: string, origin: PathOrigin, mustBeServer = false): void {
    const stores: Store[] = [];
    if (parts.every((part) => part === '')) {
      this.problem(
        origin,
        text,
        'no server is named, so only the default cache is used; name one: srv*https://msdl.microsoft.com/download/symbols',
      );
    }
    // Two asterisks in a row mean the default cache, except at the end.
    parts.forEach((part, i) => {
      if (part === '' && i > 0 && i === parts.length - 1) return;
      const store = part === '' ? this.impliedStore() : this.store(part, text, origin, mustBeServer);
      if (store !== null) stores.push(store);
    });
    const first = stores.findIndex((store) => store.kind === 'server');
    if (first === 0 && !this.hasCache) stores.unshift(this.impliedStore());
    if (stores.length === 0) return;
    const identity = stores.map((store) => (store.kind === 'folder' ? store.path : this.secretly(store.server)));
    this.push({ kind: 'chain', stores, text, origin }, `chain ${identity.join('*')}`);
  }

  private store(part: string, text: string, origin: PathOrigin, mustBeServer: boolean): Store | null {
    const server = ServerAddress.parse(part);
    if (server !== null) return { kind: 'server', server };
    if (mustBeServer || looksLikeUrl(part)) {
      this.problem(origin, text, `${withoutSecrets(part)} is not an http:// or https:// address`);
      return null;
    }
    const path = this.folder(part, text, origin);
    return path === null ? null : { kind: 'folder', path, implied: false };
  }

  private impliedStore(): FolderStore {
    return { kind: 'folder', path: this.around.defaultCache, implied: true };
  }

  /** A written folder as this system can open it, or null with a problem. */
  private folder(written: string, text: string, origin: PathOrigin): string | null {
    const { env, windows, home } = this.around;
    if (/[\u0000-\u001f]/.test(written)) {
      this.problem(origin, text, 'the folder name holds control characters');
      return null;
    }
    const expanded = written.replace(/%([^%]+)%/g, (whole, name: string) => env[name] ?? whole);
    if (windows) return expanded;
    if (/^([a-z]:([\\/]|$)|\\\\)/i.test(expanded)) {
      this.problem(origin, text, `${expanded} is a Windows path, which this system cannot open`);
      return null;
    }
    return expanded === '~' || expanded.startsWith('~/') ? posix.join(home, expanded.slice(1)) : expanded;
  }

  /** Equal elements are searched once. */
  private push(element: PathElement, identity: string): void {
    if (this.seen.has(identity)) return;
    this.seen.add(identity);
    this.elements.push(element);
  }

  private secretly(server: ServerAddress): string {
    return `${server.authorization ?? ''} ${server.file().href}`;
  }

  private problem(origin: PathOrigin, element: string, message: string): void {
    this.problems.push({ origin, element, message });
  }
}

/** Blanks, line ends and a pair of single quotation marks around a text go. */
function unquote(text: string): string {
  const trimmed = text.trim();
  const inner = /^'(.*)'$/s.exec(trimmed)?.[1];
  return inner === undefined ? trimmed : inner.trim();
}

/** A scheme of two letters or more: one letter is a drive. */
function looksLikeUrl(text: string): boolean {
  return /^(https?:|[a-z][a-z0-9+.-]+:\/\/)/i.test(text);
}

/** An element as it may be shown. */
function safeText(element: string): string {
  return element
    .split('*')
    .map((part) => ServerAddress.parse(part.trim())?.text ?? withoutSecrets(part))
    .join('*');
}
