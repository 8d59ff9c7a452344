/** Paths of registry keys: names upwards along the key control blocks. */

import { plus, virtual, type VirtualAddress } from '../../../../parsers/addresses.js';
import { failed } from '../../../../parsers/bytes/failure.js';
import { asciiz, u16, u32, utf16 } from '../../../../parsers/bytes/fields.js';
import type { ObjectLayouts } from '../layouts.js';
import { inKernel, type ObjectRoots } from '../roots.js';

const DEEPEST = 512;
const LONGEST_NAME = 512;
const MOST_KEPT = 100_000;

/** Reads paths, and keeps those of blocks that many keys share. */
export class RegistryPaths {
  private readonly known = new Map<VirtualAddress, string | null>();

  constructor(
    private readonly roots: ObjectRoots,
    private readonly layouts: ObjectLayouts,
  ) {}

  /** `\REGISTRY\MACHINE\SOFTWARE` of the key whose body is at `body`; null where its block cannot be read. */
  ofKey(body: VirtualAddress): string | null {
    const block = this.pointer(body, '_CM_KEY_BODY', 'KeyControlBlock');
    return block === null ? null : this.ofBlock(block);
  }

  private ofBlock(block: VirtualAddress): string | null {
    const known = this.known.get(block);
    if (known !== undefined) return known;
    const names: string[] = [];
    const seen = new Set<VirtualAddress>();
    let whole = true;
    for (
      let at: VirtualAddress | null = block;
      at !== null;
      at = this.pointer(at, '_CM_KEY_CONTROL_BLOCK', 'ParentKcb')
    ) {
      const name: string | null = seen.has(at) || seen.size >= DEEPEST ? null : this.nameOf(at);
      if (name === null) {
        whole = false;
        break;
      }
      seen.add(at);
      if (name !== '') names.unshift(name);
    }
    const path = names.length === 0 ? null : `${whole ? '' : '...'}\\${names.join('\\')}`;
    if (this.known.size < MOST_KEPT) this.known.set(block, path);
    return path;
  }

  private nameOf(block: VirtualAddress): string | null {
    const name = this.pointer(block, '_CM_KEY_CONTROL_BLOCK', 'NameBlock');
    const lengthAt = this.layouts.offset('_CM_NAME_CONTROL_BLOCK', 'NameLength');
    const textAt = this.layouts.offset('_CM_NAME_CONTROL_BLOCK', 'Name');
    if (name === null || lengthAt === null || textAt === null) return null;
    const head = this.roots.memory.read(name, textAt);
    if (failed(head)) return null;
    const length = u16(head, lengthAt);
    if (length === 0 || length > LONGEST_NAME) return null;
    const text = this.roots.memory.read(plus(name, textAt), length);
    if (failed(text)) return null;
    // Bit 0 of the block: a character is a byte.
    return (u32(head, 0) & 1) === 1 ? asciiz(text, 0, length) : utf16(text, 0, length);
  }

  private pointer(at: VirtualAddress, type: string, field: string): VirtualAddress | null {
    const offset = this.layouts.offset(type, field);
    if (offset === null) return null;
    const value = this.roots.memory.readPointer(plus(at, offset));
    return failed(value) || !inKernel(this.roots, value) ? null : virtual(value);
  }
}
