/** The resource section of an image that holds nothing but a VS_VERSION_INFO block. */

import { alignUp, concat, putU16, putU32, utf16 } from '../bytes.js';
import type { VersionSpec } from '../scenario.js';

/** A version block: header, key, padding, value, padding, children; all lengths in bytes but a text's in characters. */
function block(key: string, value: Uint8Array, isText: boolean, children: readonly Uint8Array[] = []): Uint8Array {
  const head = new Uint8Array(alignUp(6 + (key.length + 1) * 2, 4));
  head.set(utf16(key), 6);
  const parts: Uint8Array[] = [head];
  let length = head.length;
  for (const part of [value, ...children]) {
    if (part.length === 0) continue;
    const padded = new Uint8Array(alignUp(length, 4) - length);
    parts.push(padded, part);
    length += padded.length + part.length;
  }
  putU16(head, 0, length);
  putU16(head, 2, isText ? value.length / 2 : value.length);
  putU16(head, 4, isText ? 1 : 0);
  return concat(parts);
}

function fixedFileInfo(version: string): Uint8Array {
  const [major = 0, minor = 0, build = 0, revision = 0] = version.split('.').map(Number);
  const out = new Uint8Array(0x34);
  putU32(out, 0, 0xfeef04bd);
  putU32(out, 4, 0x10000);
  for (const at of [8, 16]) {
    putU32(out, at, major * 0x10000 + minor);
    putU32(out, at + 4, build * 0x10000 + revision);
  }
  putU32(out, 0x18, 0x3f);
  putU32(out, 0x20, 0x40004);
  putU32(out, 0x24, 3);
  putU32(out, 0x28, 7);
  return out;
}

/** Three directory levels (type 16, name 1, language 0x409), one data entry, and the block. */
export function versionResource(sectionRva: number, name: string, spec: VersionSpec): Uint8Array {
  const strings: [string, string][] = [
    ['CompanyName', spec.companyName ?? 'Microsoft Corporation'],
    ['FileDescription', spec.fileDescription ?? name],
    ['FileVersion', spec.fileVersion],
    ['OriginalFilename', name],
    ['ProductName', spec.productName ?? 'Microsoft Windows Operating System'],
    ['ProductVersion', spec.fileVersion],
  ];
  const none = new Uint8Array(0);
  const table = block(
    '040904B0',
    none,
    true,
    strings.map(([key, text]) => block(key, utf16(`${text}\0`), true)),
  );
  const translation = new Uint8Array(4);
  putU16(translation, 0, 0x409);
  putU16(translation, 2, 0x4b0);
  const info = block('VS_VERSION_INFO', fixedFileInfo(spec.fileVersion), false, [
    block('StringFileInfo', none, true, [table]),
    block('VarFileInfo', none, true, [block('Translation', translation, false)]),
  ]);
  const tree = new Uint8Array(3 * 24 + 16);
  [16, 1, 0x409].forEach((id, level) => {
    const at = level * 24;
    putU16(tree, at + 14, 1);
    putU32(tree, at + 16, id);
    putU32(tree, at + 20, level < 2 ? 0x80000000 + (level + 1) * 24 : 72);
  });
  putU32(tree, 72, sectionRva + tree.length);
  putU32(tree, 76, info.length);
  return concat([tree, info]);
}
