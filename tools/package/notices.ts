/** Licences of what is in a package. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface About {
  version: string;
  license?: string;
  author?: string | { name: string };
}

/** The texts of the licences of packages under `root`. Throws for a package that tells none. */
export function noticesOf(root: string, packages: readonly string[], version: string): string {
  const read = (path: string): string => readFileSync(path, 'utf8').replaceAll('\r\n', '\n').trim();
  // From "Permission is hereby granted" on it is the same for all.
  const mit = read(join(root, 'LICENSE')).replace(/^.*?(?=Permission is hereby granted)/s, '');
  const parts = packages.map((name) => {
    const folder = join(root, 'node_modules', name);
    const about = JSON.parse(read(join(folder, 'package.json'))) as About;
    const file = readdirSync(folder).find((one) => /^(?:licen[cs]e|copying)(?:[.-][\w.-]+)?$/i.test(one));
    const text = file === undefined ? withAuthor(about, mit) : read(join(folder, file));
    if (text === null) throw new Error(`${name} comes without its licence: packages cannot hold it`);
    return `${name} ${about.version} (${about.license ?? 'see below'})\n\n${text}\n`;
  });
  const rule = `\n${'-'.repeat(78)}\n\n`;
  return `dumpleak ${version} contains these packages, under these licences.\n${rule}${parts.join(rule)}`;
}

/** Of a package that says MIT and has no text. */
function withAuthor({ license, author }: About, mit: string): string | null {
  const name = typeof author === 'string' ? author : author?.name;
  return license === 'MIT' && name !== undefined ? `MIT License\n\nCopyright (c) ${name}\n\n${mit}` : null;
}

const PACKAGE = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//;

/** The names of the packages that files are of, sorted. */
export function packagesIn(paths: readonly string[]): string[] {
  return [...new Set(paths.flatMap((path) => PACKAGE.exec(path)?.[1] ?? []))].sort();
}
