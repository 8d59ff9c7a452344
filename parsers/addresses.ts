/** The kinds of address, branded so that they cannot be mixed up. */

declare const brand: unique symbol;

/** A physical byte address. At most 52 bits, so it fits a number exactly. */
export type PhysicalAddress = number & { readonly [brand]: 'physical' };
/** A page frame number: a physical address divided by 4096. At most 40 bits. */
export type Pfn = number & { readonly [brand]: 'pfn' };
/** A virtual address of the dumped system, canonical, as an unsigned 64-bit value. */
export type VirtualAddress = bigint & { readonly [brand]: 'virtual' };
/** An offset from the base of a loaded image. */
export type Rva = number & { readonly [brand]: 'rva' };
/** An offset from the start of the dump file (of the decompressed stream where it is compressed). */
export type FileOffset = number & { readonly [brand]: 'file' };

/** Bytes in a page on every processor that Windows dumps come from. */
export const PAGE_SIZE = 4096;

export const physical = (value: number): PhysicalAddress => value as PhysicalAddress;
export const pfn = (value: number): Pfn => value as Pfn;
/** Takes any 64-bit value and keeps its low 64 bits. */
export const virtual = (value: bigint): VirtualAddress => BigInt.asUintN(64, value) as VirtualAddress;
export const rva = (value: number): Rva => value as Rva;
export const fileOffset = (value: number): FileOffset => value as FileOffset;

/** `address + bytes` in the virtual address space. */
export const plus = (address: VirtualAddress, bytes: number | bigint): VirtualAddress =>
  virtual(address + BigInt(bytes));

/**
 * A virtual address as a plain number, for walks over very many: the 64-bit value read as signed, so below zero in the
 * kernel half of a 64-bit system. One of 48 bits fits exactly, one of 57 bits where it is a multiple of 16, as those of
 * pages and of blocks of pool are.
 */
export const small = (address: VirtualAddress): number => Number(BigInt.asIntN(64, address));

/** The address behind a number of `small`. */
export const large = (value: number): VirtualAddress => virtual(BigInt(value));
