/** A dump in the queue: what a job holds. With `--redact` its place stands there sealed, for the workers alone. */

import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import type { Place } from '../inputs/entries.js';

export interface QueuedDump {
  /** Where it lies, as the history shows it: without names where that is redacted. */
  readonly place: Place;
  /** The place with its names, sealed; null where `place` has them. */
  readonly sealed: string | null;
  readonly fileId: string;
  /** It was named, or its name says that it is a dump. */
  readonly expected: boolean;
  /** Bytes and time of change when it was found: a file that is another by now is another dump. */
  readonly size: number;
  readonly mtimeMs: number;
  /** The host that found it. */
  readonly by: string;
  /** Read it though the history knows it. */
  readonly again: boolean;
  /** The folder that it lies in is the name of its machine. */
  readonly machineByFolder: boolean;
  /** How each process that read it ended, oldest first. */
  readonly deaths: readonly string[];
  /** How often a whole worker was lost while it read it. */
  readonly lost: number;
  /** When the first of these was (ISO 8601). */
  readonly lostSince?: string;
  /** Since when hosts look for it in vain (ISO 8601), and which; null while none did. */
  readonly unseen: { readonly since: string; readonly hosts: readonly string[]; readonly times: number } | null;
  /** Of who put it in. */
  readonly ticket: string;
}

/** The job of a file: the same on every host, so that the queue takes it once. */
export function jobId(fileId: string): string {
  const hash = createHash('sha256').update(`dumpleak job 1\n${fileId}`).digest('hex');
  return hash.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const cipherKey = (key: Uint8Array): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', key, new Uint8Array(), 'dumpleak queue', 32));

/** A place for those who have the history's key. */
export function seal({ path, member }: Place, key: Uint8Array): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, cipherKey(key), nonce);
  const text = Buffer.concat([cipher.update(JSON.stringify([path, member])), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64');
}

/** The place that was sealed; null where this is not the key, or not what was sealed. */
export function unseal(sealed: string, key: Uint8Array): Place | null {
  const bytes = Buffer.from(sealed, 'base64');
  try {
    const decipher = createDecipheriv(CIPHER, cipherKey(key), bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES }); // prettier-ignore
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const text = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
    const [path, member] = JSON.parse(text.toString('utf8')) as [string, string | null];
    return { path, member };
  } catch {
    return null;
  }
}
