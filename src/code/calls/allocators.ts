/**
 * The documented functions that take a pool tag: which argument it is, and what the function does with it. From the
 * public documentation of the Windows Driver Kit; functions that exist only inline in its headers end in one of these.
 */

/** `other`: reserves or names something by a tag, but holds no pool under it. */
export type AllocatorKind = 'allocate' | 'free' | 'lookaside' | 'other';

/** One documented function with a tag argument. */
export interface Allocator {
  readonly name: string;
  readonly kind: AllocatorKind;
  /** Place of the tag among the arguments, from 0; -1 where none holds it. */
  readonly tag: number;
  /** Arguments in all. */
  readonly arguments: number;
  /** The function does this only where its first argument has this value: one function for several services. */
  readonly only?: { readonly value: number };
  /** Arguments of 64 bits before the tag: on x86 each takes two places on the stack. */
  readonly wide?: number;
  /** The argument points to a structure that holds the tag, so many bytes from its beginning. */
  readonly structure?: { readonly field: string; readonly offset32: number; readonly offset64: number };
  /** The structure's field is a pointer to an array of FLT_CONTEXT_REGISTRATION, each with a tag. */
  readonly contexts?: true;
  /** It takes no tag: the kernel uses this one. */
  readonly fixed?: string;
  /** x86: the caller takes the arguments from the stack. */
  readonly isCdecl?: true;
}

const of = (
  kind: AllocatorKind,
  name: string,
  tag: number,
  count: number,
  more: Partial<Allocator> = {},
): Allocator => ({
  name,
  kind,
  tag,
  arguments: count,
  ...more,
});

const structure = (field: string, offset32: number, offset64: number): Partial<Allocator> => ({
  structure: { field, offset32, offset64 },
});

const TABLE: readonly Allocator[] = [
  of('allocate', 'ExAllocatePoolWithTag', 2, 3),
  of('allocate', 'ExAllocatePoolWithTagPriority', 2, 4),
  of('allocate', 'ExAllocatePoolWithQuotaTag', 2, 3),
  of('allocate', 'ExAllocatePool2', 2, 3, { wide: 1 }),
  of('allocate', 'ExAllocatePool3', 2, 5, { wide: 1 }),
  of('allocate', 'ExAllocatePool', -1, 2, { fixed: 'None' }),
  of('allocate', 'ExAllocatePoolWithQuota', -1, 2, { fixed: 'None' }),
  of('allocate', 'FsRtlAllocatePoolWithTag', 2, 3),
  of('allocate', 'FsRtlAllocatePoolWithQuotaTag', 2, 3),
  of('allocate', 'FsRtlAllocateExtraCreateParameter', 4, 6),
  of('lookaside', 'FsRtlInitExtraCreateParameterLookasideList', 3, 4),
  of('allocate', 'ExAllocateCacheAwareRundownProtection', 1, 2),
  of('free', 'ExFreePoolWithTag', 1, 2),
  of('free', 'ExFreePool2', 1, 4),
  of('lookaside', 'ExInitializeNPagedLookasideList', 5, 7),
  of('lookaside', 'ExInitializePagedLookasideList', 5, 7),
  of('lookaside', 'ExInitializeLookasideListEx', 6, 8),
  of('allocate', 'NdisAllocateMemoryWithTag', 2, 3),
  of('allocate', 'NdisAllocateMemoryWithTagPriority', 2, 4),
  of('free', 'NdisFreeMemoryWithTag', 1, 2),
  of('free', 'NdisFreeMemoryWithTagPriority', 2, 3),
  of('lookaside', 'NdisInitializeNPagedLookasideList', 5, 7),
  of('allocate', 'NdisAllocateGenericObject', 1, 3),
  of('allocate', 'NdisAllocateNetBufferListPool', 1, 2, structure('NET_BUFFER_LIST_POOL_PARAMETERS.PoolTag', 8, 8)),
  of('allocate', 'NdisAllocateNetBufferPool', 1, 2, structure('NET_BUFFER_POOL_PARAMETERS.PoolTag', 4, 4)),
  of('allocate', 'NdisAllocateTimerObject', 1, 3, structure('NDIS_TIMER_CHARACTERISTICS.AllocationTag', 4, 4)),
  of('allocate', 'FltRegisterFilter', 1, 3, {
    ...structure('FLT_CONTEXT_REGISTRATION.PoolTag', 8, 8),
    contexts: true,
  }),
  of('allocate', 'FltAllocateExtraCreateParameter', 5, 7),
  of('lookaside', 'FltInitExtraCreateParameterLookasideList', 4, 5),
  of('allocate', 'FltAllocatePoolAlignedWithTag', 3, 4),
  of('free', 'FltFreePoolAlignedWithTag', 2, 3),
  // StorPortAllocatePool and StorPortFreePool are this function with service numbers 0 and 1; only the first has a tag.
  of('allocate', 'StorPortExtendedFunction', 3, 5, { only: { value: 0 }, isCdecl: true }),
  of('allocate', 'VideoPortAllocatePool', 3, 4),
  of('allocate', 'EngAllocMem', 2, 3),
  of('allocate', 'EngAllocUserMem', 1, 2),
  of('allocate', 'EngAllocPrivateUserMem', 2, 3),
  of('other', 'MmAllocateMappingAddress', 1, 2),
  of('other', 'MmAllocateMappingAddressEx', 1, 3),
  of('other', 'MmFreeMappingAddress', 1, 2),
  of('other', 'IoInitializeRemoveLockEx', 1, 5),
];

const BY_NAME: ReadonlyMap<string, Allocator> = new Map(TABLE.map((entry) => [entry.name, entry]));

const FIXED: ReadonlySet<number> = new Set(
  TABLE.flatMap(({ fixed }) => (fixed === undefined ? [] : [Buffer.from(fixed, 'latin1').readUInt32LE()])),
);

/** True for a tag (little-endian) that the kernel uses where an allocator takes none. */
export function hasFixedTag(key: number): boolean {
  return FIXED.has(key);
}

/** The entry of a function by its exported name, or null for one that takes no pool tag. */
export function allocatorNamed(name: string): Allocator | null {
  return BY_NAME.get(name) ?? null;
}
