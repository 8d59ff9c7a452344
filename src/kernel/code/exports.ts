/** What addresses in other modules are called: by the exports of the modules that offer allocators. */

/** Names the exported function that begins at an address; null where none does or it is not known. */
export interface ExportLookup {
  nameAt(address: bigint): string | null;
}
