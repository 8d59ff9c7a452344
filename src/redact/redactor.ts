/**
 * Pseudonyms for names that tell of people and places: keyed (HMAC-SHA256), so that one name has one pseudonym under one
 * key, in every report, and nobody without the key can try names. A text is made ready in two steps: names are learned
 * from everything that is to be shown, then every place where they stand is replaced.
 */

import { createHmac } from 'node:crypto';
import { redactPath, type PathNames } from './paths.js';

/** What a name is of. The same name of two kinds has two pseudonyms. */
export type NameKind = 'machine' | 'domain' | 'user' | 'folder' | 'share' | 'file' | 'dump' | 'instance';

/** Digits of a pseudonym: 48 bits, so that two of a million names are alike in one of 500 collections. */
const DIGITS = 12;
/** Shorter names stand in too many words to be looked for in text. In paths and fields of their own they are replaced. */
const SHORTEST_IN_TEXT = 3;
/** Words of the reports themselves: where a machine or a user is called so, text keeps them. They tell of nobody. */
const OWN_WORDS = new Set(
  (
    'administrator all allocation allocations analyze and are bytes cannot check code computer data default desktop dmp domain driver drivers ' +
    'dump dumps file files folder found free frees from has holds image kernel leak limit list log machine memory minidump module modules ' +
    'nonpaged not page paged pages path paging pool public read server session share symbols system table tables tag tags test ' +
    'that the this time unknown used user users windows with'
  ).split(' '),
);
/** Hosts that everyone asks for symbols: they tell nothing. */
const PUBLIC_HOSTS =
  /^(?:msdl\.microsoft\.com|symbols\.mozilla\.org|driver-symbols\.nvidia\.com|download\.amd\.com|localhost)$/i;

export class Redactor {
  /**
   * The key should hold 16 bytes or more that cannot be guessed; `lasting` when other runs use it too, so that their
   * pseudonyms agree.
   */
  constructor(
    private readonly key: Uint8Array,
    readonly lasting: boolean,
  ) {}

  /** `machine-3f9a0c12d4e6`. Case does not matter: Windows names are the same in either. */
  pseudonym(kind: NameKind, name: string): string {
    const plain = name.normalize('NFC').toLowerCase();
    return `${kind}-${createHmac('sha256', this.key).update(`${kind}\0${plain}`).digest('hex').slice(0, DIGITS)}`;
  }

  /** Of a host: its name and its domain apart, so that SQL01 and sql01.corp.example are the same machine. */
  host(name: string): string {
    const [first = '', ...domain] = name.split('.');
    // Numbers and colons are an address: it has no domain.
    if (first === '' || domain.length === 0 || /^[\d.]+$/.test(name)) return this.pseudonym('machine', name);
    return `${this.pseudonym('machine', first)}.${this.pseudonym('domain', domain.join('.'))}`;
  }

  /** A file that the user named: nothing of its name or folder stays, but the ending of a kind that is known. */
  file(kind: 'dump' | 'file', path: string): string {
    return this.pseudonym(kind, path.replaceAll('\\', '/')) + knownEnding(path);
  }
}

const ENDINGS = /\.(?:k?dmp|mdmp|core|gz|xz|zst|zip|7z|json|ndjson|csv|tsv|txt|log|blg|pdb|sys|dll|exe)$/i;

function knownEnding(path: string): string {
  let rest = path;
  let ending = '';
  for (let found = ENDINGS.exec(rest); found !== null; found = ENDINGS.exec(rest)) {
    ending = found[0].toLowerCase() + ending;
    rest = rest.slice(0, found.index);
  }
  return ending;
}

/** The names of one report, and its texts without them. What one report taught does not change another. */
export class Names implements PathNames {
  private readonly known = new Map<string, string>();
  private all: RegExp | null = null;
  private paths: RegExp | null = null;

  constructor(readonly redactor: Redactor) {}

  /** Looks for the name in texts from now on; its pseudonym. */
  learn(name: string, pseudonym: string): string {
    const plain = name.normalize('NFC').toLowerCase();
    if (plain.length >= SHORTEST_IN_TEXT && !OWN_WORDS.has(plain) && !this.known.has(plain)) {
      this.known.set(plain, pseudonym);
      this.all = this.paths = null;
    }
    return pseudonym;
  }

  user(name: string): string {
    return this.learn(name, this.redactor.pseudonym('user', name));
  }

  /** A machine, or the server of a path. */
  host(name: string): string {
    const [first = '', ...domain] = name.split('.');
    if (domain.length > 0 && !/^[\d.]+$/.test(name)) {
      this.learn(first, this.redactor.pseudonym('machine', first));
      this.learn(domain.join('.'), this.redactor.pseudonym('domain', domain.join('.')));
    }
    return this.learn(name, this.redactor.host(name));
  }

  share(name: string): string {
    return this.redactor.pseudonym('share', name);
  }

  folder(name: string): string {
    return this.redactor.pseudonym('folder', name);
  }

  /** What a counter is of: a session, a printer. */
  instance(name: string): string {
    return this.redactor.pseudonym('instance', name);
  }

  file(name: string): string {
    return this.redactor.file('file', name);
  }

  /** A file that the user named, by its path and by its name alone. */
  learnFile(kind: 'dump' | 'file', path: string): string {
    const pseudonym = this.redactor.file(kind, path);
    const name = path.split(/[\\/]/).at(-1) ?? '';
    this.learn(path, pseudonym);
    this.learn(name, pseudonym);
    return pseudonym;
  }

  /** Learns the users and servers of the paths in a text. */
  learnFrom(text: string): void {
    this.withoutPaths(text);
  }

  /** A path as the kernel or a PDB spells it. The name of the file stays: it is a driver's. */
  path(path: string): string {
    return this.sweep(redactPath(path, this, true));
  }

  /** A sentence: URLs, paths and all names that were learned. */
  text(text: string): string {
    return this.sweep(this.withoutPaths(this.sweepPaths(text)));
  }

  /** A name or a title: what was learned, and nothing else. */
  sweep(text: string): string {
    this.all ??= this.makePattern(() => true);
    return this.replaceKnown(text, this.all);
  }

  /** Whole paths that were learned go first: a part of them may be known by itself. */
  private sweepPaths(text: string): string {
    this.paths ??= this.makePattern((name) => /[\\/]/.test(name));
    return this.replaceKnown(text, this.paths);
  }

  private replaceKnown(text: string, pattern: RegExp): string {
    return text.replace(pattern, (found) => this.known.get(found.normalize('NFC').toLowerCase()) ?? REMOVED);
  }

  private makePattern(wanted: (name: string) => boolean): RegExp {
    const names = [...this.known.keys()].filter(wanted).sort((a, b) => b.length - a.length);
    if (names.length === 0) return /(?!)/u;
    const escaped = names.map((name) => name.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|');
    // A driver keeps its name, even one that is called as a user or a machine is.
    return new RegExp(`(?<![\\p{L}\\p{N}_])(?:${escaped})(?![\\p{L}\\p{N}_])(?!\\.(?:sys|dll|exe|pdb)\\b)`, 'giu');
  }

  private withoutPaths(text: string): string {
    return text
      .replace(URL, (whole, scheme: string, host: string, rest: string) =>
        PUBLIC_HOSTS.test(host) ? whole : `${scheme}${this.host(host)}${rest.length > 1 ? '/...' : rest}`,
      )
      .replace(WINDOWS_PATH, (path) => redactPath(path, this, false))
      .replace(POSIX_PATH, (path) => redactPath(path, this, false));
  }
}

/** For letters that are alike only to a search that takes no notice of case. */
const REMOVED = '(removed)';
const URL = /(\b[a-z]{2,8}:\/\/)(?:[^\s/@]+@)?([^\s/:@"'<>]+)(?::\d+)?([^\s"'<>]*)/gi;
/** A folder's name with what follows it; blanks only where no file's ending stands before them. */
const FOLDER = String.raw`(?:(?:(?!\.\w{2,4}\s)[^\\/:*?"<>|\r\n]){1,100}[\\/]+)`;
const FILE = String.raw`(?:[^\\/:*?"<>|\r\n]{1,100}?\.(?:sys|dll|exe|pdb|k?dmp|json|csv|txt|log|gz|xz|zst|zip|7z)\b|[^\s\\/:*?"<>|,;()']*)`;
const WINDOWS_PATH = new RegExp(
  String.raw`(?:\\\\[?.]\\|\\\?\?\\)(?:[a-z]:[\\/]+)?${FOLDER}*${FILE}` +
    String.raw`|(?<![\p{L}\p{N}])[a-z]:[\\/]+${FOLDER}*${FILE}` +
    String.raw`|\\\\(?=[\p{L}\p{N}])${FOLDER}*${FILE}` +
    String.raw`|\\(?=[\p{L}\p{N}$%(])${FOLDER}+${FILE}`,
  'giu',
);
const POSIX_PATH = /(?<![\p{L}\p{N}_.\\/:-])\/(?:[^\s\\/:"'<>|,;()]+(?: [^\s\\/:"'<>|,;()]+)*\/)+[^\s\\/:"'<>|,;()]*/gu;
