/** What the documented functions that take a pool tag do with it. */

/** `other`: reserves or names something by a tag, but holds no pool under it. */
export type AllocatorKind = 'allocate' | 'free' | 'lookaside' | 'other';
