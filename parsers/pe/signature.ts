/**
 * The signature embedded in a PE file (Authenticode): whose certificate it names. It is not verified; whoever edits a
 * file can put any certificate into it. Layouts: WIN_CERTIFICATE of wintrust.h; SignedData of RFC 5652.
 */

import type { BaseBlock } from 'asn1js';
import { Constructed, fromBER, Integer } from 'asn1js';
import { X509Certificate } from 'node:crypto';
import { Failure } from '../bytes/failure.js';
import { u16, u32 } from '../bytes/fields.js';
import { DIRECTORY, type ImageHeaders } from './image.js';

const PKCS_SIGNED_DATA = 2;
/** Real ones have 5 to 100 KB. */
const LONGEST = 2 ** 20;
const MOST_CERTIFICATES = 64;

/** The certificate that a signature names as the signer's. */
export interface Signer {
  /** Common name of the subject. */
  readonly name: string | null;
  readonly organization: string | null;
  /** Common name of who issued it. */
  readonly issuer: string | null;
}

/** The signer of the first embedded signature; null for a file without one. Fails for a signature that cannot be read. */
export function readSigner(file: Uint8Array, headers: ImageHeaders): Signer | null | Failure {
  const directory = headers.directories[DIRECTORY.security];
  // This one directory counts from the start of the file.
  if (directory === undefined || directory.rva === 0 || directory.size === 0) return null;
  const { rva: at, size } = directory;
  if (at + 8 > file.length) return wrong('lies beyond the end of the file');
  const length = u32(file, at);
  if (length < 9 || length > size || length > LONGEST || at + length > file.length) return wrong('has no true length');
  if (u16(file, at + 6) !== PKCS_SIGNED_DATA) return wrong('is of an unknown kind');
  try {
    return signerOf(file.slice(at + 8, at + length));
  } catch (error) {
    // The ASN.1 reader and the certificate reader throw whatever they stumble over.
    return wrong(`cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
}

const wrong = (what: string): Failure => new Failure('corrupt', `the embedded signature ${what}`);

/** ContentInfo { type, [0] SignedData { version, digests, content, [0] certificates, [1] lists?, signers } } */
function signerOf(bytes: Uint8Array<ArrayBuffer>): Signer | Failure {
  const { offset, result } = fromBER(bytes);
  if (offset < 0) return wrong('is no ASN.1');
  const signedData = children(children(result)[1])[0];
  const parts = children(signedData);
  const certificates = parts.find((part) => part.idBlock.tagClass === 3 && part.idBlock.tagNumber === 0);
  const signers = children(parts.at(-1));
  const serial = children(children(signers[0])[1])[1];
  if (certificates === undefined || !(serial instanceof Integer)) return wrong('names no signer');
  const wanted = hexOf(serial.valueBlock.valueHexView);
  for (const block of children(certificates).slice(0, MOST_CERTIFICATES)) {
    const certificate = new X509Certificate(block.valueBeforeDecodeView);
    if (certificate.serialNumber.replace(/^0+/, '').toLowerCase() !== wanted) continue;
    return {
      name: part(certificate.subject, 'CN'),
      organization: part(certificate.subject, 'O'),
      issuer: part(certificate.issuer, 'CN'),
    };
  }
  return wrong("does not hold its signer's certificate");
}

function children(block: BaseBlock | undefined): BaseBlock[] {
  return block instanceof Constructed ? block.valueBlock.value : [];
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').replace(/^0+/, '');
}

/** A part of a distinguished name, which Node writes one a line. */
function part(name: string, key: string): string | null {
  const line = name.split('\n').find((one) => one.startsWith(`${key}=`));
  return line === undefined ? null : line.slice(key.length + 1).trim();
}
