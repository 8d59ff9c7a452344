/**
 * The codes of a result's warnings, each with what it means. They are a published contract (docs/result.md lists them, made
 * from here): a new one is a line here, and a warning with a code of no line does not compile. Those of the lower rooms have
 * their unions there (`SoftErrorCode`, `SymbolsWarningCode`), and one without words here does not compile either.
 */

import type { SoftErrorCode } from '../../parsers/dump/page-index.js';
import type { SymbolsWarningCode } from '../../symbols/warnings.js';

/** What a warning concerns: a part of the result, or the driver files that a command reads. */
export const WARNING_PLACES = [
  'dump', 'symbols', 'modules', 'memory', 'poolTags', 'objectTypes', 'processes', 'handles', 'suspects', 'files',
] as const; // prettier-ignore

export type WarningPlace = (typeof WARNING_PLACES)[number];

/** Of the file and its pages. */
const OF_PAGES: Readonly<Record<SoftErrorCode, string>> = {
  truncated: 'the file ends before its pages do',
  'insufficient-dump-file': 'Windows marked the dump as cut',
  'bitmap-count': 'the bitmap marks another number of pages than its header says',
  'run-count': 'the runs of physical memory hold another number of pages than their count says',
  'runs-overlap': 'runs of physical memory overlap',
  'rdmp-record': 'a record of an RDMP dump cannot be true: pages after it are not known',
  'rdmp-count': 'the runs of an RDMP dump hold another number of pages than its header says',
  'triage-part': 'a part of a small dump cannot be read',
  'triage-incomplete': 'the mark at the end of a small dump is missing',
};

/** Of what symbols were looked for and found. */
const OF_SYMBOLS: Readonly<Record<SymbolsWarningCode, string>> = {
  'profile-unconfirmed': 'a profile that fits by time stamp could not be confirmed, and was not used',
  'profile-rejected': 'a profile that fits is contradicted by known addresses, and was not used',
  'profile-file': 'a profile file that was given cannot be used',
  'no-profile': 'no profile in the folders that were given is of this kernel',
  'symbol-path': 'an element of the symbol path cannot be used',
  'symbol-server': 'a symbol server gave no answer that can be used',
  'pdb-not-known': 'which PDB belongs to the kernel is not known',
  'pdb-not-found': "the kernel's PDB is nowhere in the symbol path",
  'pdb-mismatch': 'a PDB is of another kernel, and was not used',
  'pdb-unreadable': "the kernel's PDB cannot be read",
};

/** Of what is read above, by the part that it concerns. */
const OF_PARTS = {
  'container-damaged': 'the archive that the dump is packed in is damaged',
  'triage-dump': 'a small dump has no pool tables and no memory figures',
  'processor-not-supported': 'memory or code of this processor is not read',
  'no-directory-table': 'no page tables are known: virtual memory cannot be translated',
  'directory-table-searched': "the header's page tables translate nothing; others are used",
  'directory-table-unusable': "the header's page tables translate nothing, and no others were found",
  'zeros-at-end': 'the file was probably not written or copied to its end',
  'pae-flag-wrong': 'the header is wrong on PAE',
  'paging-levels': 'the kernel tells other levels of paging than its page tables have',
  redacted: 'names are pseudonyms (`--redact`)',

  'kernel-not-found': 'the kernel image was not found',
  'kernel-searched': 'the kernel image was found by search',
  'no-debugger-block': 'the debugger data block was not found',
  'debugger-block-searched': 'the debugger data block was found by search',

  'module-list-broken': 'the list of modules is broken',
  'module-unreadable': 'an entry of the list of modules cannot be read',
  'module-contradicted': 'what the dump says of a module contradicts itself',
  'modules-found-by-header': 'modules were found by their image headers, not in the list',
  'unloaded-unreadable': 'the list of unloaded drivers cannot be read',
  'images-unreadable': 'a folder or file of `--images` cannot be read',
  'images-unused': 'no module could be completed from `--images`',
  'images-mismatch': 'files of `--images` are not the ones that were loaded',
  'images-limit': 'files of `--images` were not read: too many bytes in all',

  'figure-unreadable': 'a memory figure cannot be read',
  'figure-impossible': 'a memory figure cannot be true, and is left out',
  'figures-contradict': 'memory figures contradict each other',
  'pools-disagree': 'the single pools do not add up to the total',
  'page-files': 'the number of page files cannot be true',
  'page-file-unreadable': 'a page file cannot be read',
  'no-memory-layout': "how this build lays out the memory manager's state is not known",
  'memory-state-searched': "the memory manager's state was found by its content",
  'memory-state-not-found': "the memory manager's state was not found by its content",
  'implausible-nonpaged-pool': 'the usage of nonpaged pool cannot be true, and was not used',
  'implausible-paged-pool': 'the usage of paged pool cannot be true, and was not used',
  'implausible-commit': 'the committed pages cannot be true, and were not used',
  'implausible-available-memory': 'the available pages cannot be true, and were not used',

  'pool-tagging-off': 'the system counted no pool tags',
  'no-pool-table': 'the table of pool tags was not found or cannot be read',
  'no-pool-layout': 'the layout of the table of pool tags is not known',
  'no-pool-size': 'the size of the table of pool tags is not known, or cannot be true',
  'pool-size-inferred': 'the size of the table of pool tags was inferred',
  'pool-size-odd': 'the size and the mask of the table of pool tags do not belong together',
  'record-layout-inferred': 'the layout of the table of pool tags was inferred',
  'no-processor-tables': 'the tables of the single processors were not found: figures are partial',
  'processor-tables-searched': 'the tables of the single processors were found by their content',
  'no-expansion-table': 'there may be tags that found no slot: their table was not found',
  'expansion-table-searched': 'the table of tags that found no slot was found by its content',
  'tables-missing': 'fewer tables of pool tags were found than there are processors',
  'table-unreadable': 'pages of a table of pool tags cannot be read: figures are partial',
  'tables-inconsistent': 'counters contradict themselves: some table, or a part of one, is missing',
  'tables-damaged': 'pages of the tables of pool tags were lost or overwritten',
  'tables-exceed-pool': 'the tags hold more than the pool has',
  'counters-negative': 'counters add up to less than nothing, and are shown as 0',
  'implausible-tag-bytes': 'a tag holds more than its pool can, and was not used',
  'implausible-tag-counters': 'counters of a tag contradict themselves, and were not used',
  'unexplained-nonpaged-pool': 'a part of nonpaged pool is explained by no tag',
  'unexplained-paged-pool': 'a part of paged pool is explained by no tag',
  'pooltag-file': "the debugger's list of tags cannot be read",
  'verifier-active': 'Driver Verifier is on',
  'special-pool-active': 'special pool is on for a tag',
  'pool-corruption': 'the bug check tells of corrupt pool',

  'object-types-unknown': 'the types of objects were not found',
  'object-types-missing': 'some types of objects cannot be read',
  'object-types-unreadable': 'how headers of objects name their type was not found out',
  'object-cookie-contradicted': "the cookie of object headers is not what the kernel's variable says",

  'process-layout-unknown': 'the layout of processes is not known, or is not the one that symbols tell',
  'process-list-broken': 'the list of processes is broken',
  'processes-unlisted': 'processes stand in the table of ids alone',
  'processes-unreadable': 'processes are not in the dump',
  'processes-doubtful': 'entries of the list of processes are no processes',

  'handles-unreadable': 'no handle table could be read',
  'handles-bounded': 'not all handles were read: too many',
  'handle-pages-missing': 'pages of handle tables are not in the dump',
  'handle-counts-differ': 'handle tables hold another number of handles than they count',
  'handle-tables-unreadable': 'handle tables of some processes cannot be read',

  'more-suspects': 'more tags are suspicious than are reported',
  'tag-not-counted': 'the tag that was asked for is in no table',
  'bugcheck-driver-unknown': 'the driver that the bug check accuses is not known',
  'code-not-followed': 'code around places of a tag was not followed to the end',
  'owners-not-followed': 'code around tags that nobody suspects was not followed to the end: an owner may not be named',
  'no-big-pages': 'the table of big pool allocations was not found',
  'big-pages-searched': 'the table of big pool allocations was found by its content',
  'big-pages-unproven': 'the table of big pool allocations is not ordered by its hash',
  'big-pages-incomplete': 'rows of the table of big pool allocations are not in the dump',
  'big-pages-differ': 'the table of big pool allocations has another number of rows than its counter says',
  'no-pool-blocks': 'small pool allocations cannot be listed',
  'pool-heaps-searched': 'the heaps of the pool were found by their content',
  'pool-heap-unreadable': 'a heap of the pool cannot be read',
  'pool-heaps-undecoded': 'the heaps of the pool cannot be decoded',

  'file-unreadable': 'a file cannot be read',
  'links-not-followed': 'links in a folder were not followed',
  'code-packed': 'the code of a file is packed: what it allocates cannot be seen',
} as const;

const CODES = { ...OF_PAGES, ...OF_SYMBOLS, ...OF_PARTS };

/** All codes of warnings. */
export type WarningCode = keyof typeof CODES;

/** The codes, by the part that they concern. */
export const WARNING_CODES = Object.keys(CODES) as WarningCode[];

/** What a code means, whatever the sentence beside it says. */
export function warningMeaning(code: WarningCode): string {
  return CODES[code];
}
