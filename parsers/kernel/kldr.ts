/**
 * _KLDR_DATA_TABLE_ENTRY as every Windows lays out its first bytes (x86 from 2195, x64 from 3790, ARM64): used to find
 * the kernel before anything is known about its build. TimeDateStamp is only meaningful where a kernel's own layout has
 * it.
 */

import type { StructLayout } from './layout.js';

const KLDR_64: StructLayout = {
  name: '_KLDR_DATA_TABLE_ENTRY',
  size: 0xa0,
  fields: {
    InLoadOrderLinks: { offset: 0x00, type: '_LIST_ENTRY' },
    DllBase: { offset: 0x30, type: '*void' },
    EntryPoint: { offset: 0x38, type: '*void' },
    SizeOfImage: { offset: 0x40, type: 'unsigned long' },
    FullDllName: { offset: 0x48, type: '_UNICODE_STRING' },
    BaseDllName: { offset: 0x58, type: '_UNICODE_STRING' },
    Flags: { offset: 0x68, type: 'unsigned long' },
    CheckSum: { offset: 0x78, type: 'unsigned long' },
  },
};

const KLDR_32: StructLayout = {
  name: '_KLDR_DATA_TABLE_ENTRY',
  size: 0x50,
  fields: {
    InLoadOrderLinks: { offset: 0x00, type: '_LIST_ENTRY' },
    DllBase: { offset: 0x18, type: '*void' },
    EntryPoint: { offset: 0x1c, type: '*void' },
    SizeOfImage: { offset: 0x20, type: 'unsigned long' },
    FullDllName: { offset: 0x24, type: '_UNICODE_STRING' },
    BaseDllName: { offset: 0x2c, type: '_UNICODE_STRING' },
    Flags: { offset: 0x34, type: 'unsigned long' },
    CheckSum: { offset: 0x40, type: 'unsigned long' },
  },
};

/** The common part of the loader's entry on a target of that width. */
export const commonKldr = (pointerSize: 4 | 8): StructLayout => (pointerSize === 4 ? KLDR_32 : KLDR_64);
