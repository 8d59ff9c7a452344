/**
 * Kernel addresses as plain numbers, for walks over a million of them: the 64-bit value read as signed. A canonical
 * address of 48 bits fits exactly, one of 57 bits where it is a multiple of 16, as those of blocks of pool are. 32-bit
 * addresses are themselves.
 */

import { virtual, type VirtualAddress } from '../../addresses.js';

/** A virtual address as a number: below zero in the kernel half of a 64-bit system. */
export const small = (address: VirtualAddress): number => Number(BigInt.asIntN(64, address));

/** The address behind a number of `small`. */
export const large = (value: number): VirtualAddress => virtual(BigInt(value));
