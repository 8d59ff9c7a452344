/** Descriptions that several parts of the result share. */

import type { BugCheck, Note, Pages, PdbIdentity, ProcessName, TagOwner } from './result.js';
import { leaf, list, named, oneOf, orNull, said, type Shape } from './leaves.js';

export const SOURCE = oneOf(
  'where it came from',
  'profile', 'pdb', 'kdbg', 'nearest', 'header', 'image', 'scan', 'derived',
); // prettier-ignore

export const CONFIDENCE = oneOf('how sure that is', 'high', 'medium', 'low');
export const POOL = oneOf('which pool', 'nonpaged', 'paged');
export const TAG = leaf('tag', 'four characters; bytes that cannot be printed stand as `.`');
export const KEY = leaf('hex', "the tag's key, as `hex` of its row: tables are joined by it");
export const MODULE = leaf('file', 'file name of the module');
export const BASE = leaf('address', 'where its image begins: modules are joined by it');

export const NOTE: Shape<Note> = named('note', 'a remark', {
  code: leaf('code', 'for programs; stays'),
  message: leaf('message', 'for people; may change'),
});

export const PAGES = named('pages', 'a figure in pages', {
  pages: leaf('count', 'pages of 4096 bytes'),
  source: SOURCE,
}) satisfies Shape<Pages>;

export const PDB = named('pdb', 'identity of a PDB file', {
  name: leaf('file', 'file name, as the linker wrote it'),
  guid: leaf('guid', '32 upper-case digits'),
  age: leaf('integer', 'counts its changes'),
}) satisfies Shape<PdbIdentity>;

export const BUG_CHECK = named('bugCheck', 'how Windows stopped', {
  code: leaf('hex', 'the stop code'),
  name: orNull(leaf('text', 'its name; null: in no table')),
  parameters: list('the four parameters', leaf('hex', 'a parameter')),
}) satisfies Shape<BugCheck>;

export const PROCESS_NAME = {
  pid: leaf('count', 'process id'),
  image: leaf('process', 'file name of its program, fifteen characters where no more is known'),
} satisfies Shape<ProcessName>['fields'];

export const OWNER = named('tagOwner', 'who is named for a tag', {
  module: MODULE,
  base: orNull(BASE),
  confidence: said('how sure it is that this module allocates under the tag', CONFIDENCE),
  basis: oneOf('on what ground', 'code', 'data', 'list', 'object-type', 'rule', 'bugcheck'),
}) satisfies Shape<TagOwner>;
