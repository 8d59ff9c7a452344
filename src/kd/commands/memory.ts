/** Memory: `d*` shows it, `s` searches it. */

import type { Family } from '../command.js';
import { displayFloats, displayStrings, displayMemory, displayList } from './display.js';
import { searchCommand } from './search.js';

export const memory: Family = {
  title: 'Memory',
  commands: [
    {
      names: ['d', 'db', 'dw', 'dd', 'dq', 'dc', 'dp', 'dyb', 'dyd', 'dds', 'dqs', 'dps'],
      usage: ['db [Address [Ln | End]]', 'dw | dd | dq | dc | dp | dyb | dyd', 'dps | dds | dqs'],
      summary: 'Memory in bytes, words, pointers; dps with symbols',
      flags: [
        ['db', 'bytes and characters'],
        ['dw', 'words of 2 bytes'],
        ['dd', 'words of 4 bytes'],
        ['dq', 'words of 8 bytes'],
        ['dc', 'words of 4 bytes and characters'],
        ['dp', 'words as wide as a pointer'],
        ['dyb', 'bits and bytes'],
        ['dyd', 'bits of words of 4 bytes'],
        ['dps', 'pointers and the symbols that they lead to'],
        ['dds', 'the same of 4 bytes'],
        ['dqs', 'the same of 8 bytes'],
        ['Ln', 'so many of them; L? without the limit of 256 MB'],
      ],
      standing: 'same',
      run: displayMemory,
    },
    {
      names: ['!db', '!dw', '!dd', '!dq', '!dc', '!dp'],
      usage: ['!db Address [Ln]'],
      summary: 'The same of physical memory',
      standing: 'differs',
      differs: 'Caching flags ([c], [uc], [wc]) mean nothing in a dump and are not here.',
      run: displayMemory,
    },
    {
      names: ['df', 'dD'],
      usage: ['df [Address [Ln]]', 'dD [Address [Ln]]'],
      summary: 'Memory as floating-point numbers',
      flags: [
        ['df', 'of 4 bytes, four a row'],
        ['dD', 'of 8 bytes, two a row'],
        ['Ln', 'so many numbers'],
      ],
      standing: 'differs',
      differs: 'No published output tells the widths of the columns: they are chosen here.',
      run: displayFloats,
    },
    {
      names: ['da', 'du', 'ds', 'dS'],
      usage: ['da [Address [Ln]]', 'du', 'ds | dS'],
      summary: 'Text: ASCII, Unicode, STRING, UNICODE_STRING',
      flags: [
        ['da', 'bytes up to a zero'],
        ['du', 'UTF-16 up to a zero'],
        ['ds', 'the text of a STRING or ANSI_STRING'],
        ['dS', 'the text of a UNICODE_STRING'],
        ['Ln', 'so many characters, whatever they are'],
      ],
      standing: 'same',
      run: displayStrings,
    },
    {
      names: ['dl', 'dlb'],
      usage: ['dl[b] Address [Most [Size]]'],
      summary: 'A linked list: Size pointers of each entry',
      flags: [
        ['dl', 'along Flink'],
        ['dlb', 'along Blink'],
        ['Most', 'entries at most (20, hexadecimal)'],
        ['Size', 'pointers of each entry (2)'],
      ],
      standing: 'same',
      run: displayList,
    },
    {
      names: ['s'],
      usage: ['s [-[1][Type]] Range Pattern', 's -a Range "Text"', 's -d Range Value..'],
      summary: 'Searches memory',
      flags: [
        ['-b', 'bytes, as without it'],
        ['-w', 'words of 2 bytes'],
        ['-d', 'words of 4 bytes'],
        ['-q', 'words of 8 bytes'],
        ['-a', 'text in ASCII'],
        ['-u', 'text in UTF-16'],
        ['-[1]T', 'only the addresses'],
        ['L?n', 'a range of more than 256 MB'],
      ],
      standing: 'differs',
      differs:
        'A range of more than 1 GB is searched only where the page tables map something, which finds the same. -sa, -su, -v and the flags [l], [n] and [w] are not here.',
      glued: true,
      run: searchCommand,
    },
  ],
};
