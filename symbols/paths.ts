/** Offsets of nested fields: `Vs.PagedPoolInfo.AllocatedPagedPool` inside `_MI_SYSTEM_INFORMATION`. */

import { weakest, type FigureSource, type KernelSymbols } from './kernel-symbols.js';

/** Where a nested field stands in the outermost structure. */
export interface ResolvedPath {
  /** Bytes from the start of the outermost structure. */
  readonly offset: number;
  /** The innermost field's type as its layout spells it, with bit positions and array sizes. */
  readonly type: string;
  /** `nearest` when any layout on the way was of another kernel. */
  readonly source: FigureSource;
}

/**
 * Sums the offsets of nested fields through the layouts. Steps lead into embedded structures only: a pointer or an array on
 * the way ends the path with `null`, as does a type or field that is not known. A field whose own name holds dots (the
 * members of an unnamed union, `u1.EntireField`) is found too.
 */
export function resolvePath(symbols: Pick<KernelSymbols, 'layout'>, type: string, path: string): ResolvedPath | null {
  const layout = symbols.layout(type);
  if (layout === null) return null;
  for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1)) {
    const name = path.slice(0, end);
    const field = Object.hasOwn(layout.value.fields, name) ? layout.value.fields[name] : undefined;
    if (field === undefined) continue;
    if (end === path.length) return { offset: field.offset, type: field.type, source: layout.source };
    const inner = resolvePath(symbols, field.type, path.slice(end + 1));
    if (inner === null) return null;
    return {
      offset: field.offset + inner.offset,
      type: inner.type,
      source: weakest(inner.source, layout.source),
    };
  }
  return null;
}
