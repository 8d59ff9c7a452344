/** What blocks lead to: driver and device objects, filters, logon sessions, framework globals, lists of pages. */

import { utf16, type Va } from '../../bytes.js';
import type { KernelSpace } from '../../kernel/kernel-space.js';
import { PAGE } from '../../physical-memory.js';

/** Where what blocks lead to stands; each thing once. */
export class Targets {
  private readonly drivers = new Map<string, Va>();
  private readonly devices = new Map<string, Va>();
  private readonly sessions = new Map<string, Va>();
  private readonly globals = new Map<string, Va>();
  private readonly tables = new Map<string, Va>();
  private stretch: { readonly va: Va; readonly frames: readonly number[] } | null = null;

  constructor(
    private readonly space: KernelSpace,
    readonly build: number,
    /** An address in the kernel's code. */
    readonly kernelCode: Va,
    readonly baseOf: (module: string) => Va,
    /** RVA of a place in a module's data that may be written. */
    private readonly dataOf: (module: string) => number,
    readonly processes: readonly Va[],
  ) {}

  get wide(): boolean {
    return this.space.width === 8;
  }

  /** `_DRIVER_OBJECT` of a module. */
  driver(module: string): Va {
    return once(this.drivers, module, () => {
      const { space, wide } = this;
      const va = space.allocate('nonPagedPool', wide ? 0x150 : 0xa8);
      space.u16(va, 4);
      space.u16(va + 2, wide ? 0x150 : 0xa8);
      space.pointer(va + (wide ? 0x18 : 0xc), this.baseOf(module));
      space.u32(va + (wide ? 0x20 : 0x10), 0x8000);
      space.unicode(va + (wide ? 0x38 : 0x1c), `\\Driver\\${module.replace(/\..*$/, '')}`);
      return va;
    });
  }

  /** `_DEVICE_OBJECT` of a module's driver, with an extension of 0x40 bytes. */
  device(module: string): Va {
    return once(this.devices, module, () => {
      const { space, wide } = this;
      const size = (wide ? 0x150 : 0xb8) + 0x40;
      const va = space.allocate('nonPagedPool', size);
      space.u16(va, 3);
      space.u16(va + 2, size);
      space.pointer(va + 8, this.driver(module));
      return va;
    });
  }

  /** A structure with the type of a device and a driver that is none. */
  falseDevice(): Va {
    return once(this.devices, '', () => {
      const va = this.space.allocate('nonPagedPool', 0x200);
      this.space.u16(va, 3);
      this.space.u16(va + 2, 0x190);
      this.space.pointer(va + 8, va + 0x100);
      return va;
    });
  }

  /** `_SEP_LOGON_SESSION_REFERENCES`. */
  session(account: string, id: number): Va {
    return once(this.sessions, `${account} ${id}`, () => {
      const va = this.space.allocate('pagedPool', 0xd0);
      this.fillSession(
        account,
        id,
        (offset, text) => {
          this.space.unicode(va + offset, text, 'pagedPool');
        },
        {
          u32: (offset, value) => {
            this.space.u32(va + offset, value);
          },
        },
      );
      return va;
    });
  }

  /** Offsets by build, from the reference. */
  fillSession(
    account: string,
    id: number,
    text: (offset: number, text: string) => void,
    to: { u32: (offset: number, value: number) => void },
  ): void {
    const { wide, build } = this;
    const [domain = '', name = ''] = account.split('\\');
    const nameAt = wide ? (build >= 9600 ? 0x38 : 0x30) : 0x24;
    to.u32(wide ? 8 : 4, id);
    to.u32(wide ? 0xc : 8, 0);
    to.u32(wide ? 0x18 : 0x14, 3);
    text(nameAt, name);
    text(nameAt + (wide ? 0x10 : 8), domain);
  }

  /** Text in paged pool: its address. */
  text(value: string): Va {
    const bytes = utf16(`${value}\0`);
    const va = this.space.allocate('pagedPool', bytes.length);
    this.space.write(va, bytes);
    return va;
  }

  /** Driver globals of the framework: the documented part of them stands somewhere in the middle. */
  frameworkGlobals(driver: string, tag: string): Va {
    return once(this.globals, `${driver} ${tag}`, () => {
      const { space, wide } = this;
      const va = space.allocate('nonPagedPool', 0x400);
      const at = va + 0x158;
      space.pointer(at, va + 0x20);
      space.ascii(at + (wide ? 0xc : 8), tag.padEnd(4));
      // The byte behind the tag is the first of the name.
      space.ascii(at + (wide ? 0x10 : 0xc), driver);
      return va;
    });
  }

  /** A table of functions in a module's data, which leads to its code. */
  functions(module: string): Va {
    return once(this.tables, module, () => {
      const table = this.baseOf(module) + this.dataOf(module);
      this.space.pointer(table, this.baseOf(module) + 0x1100);
      return table;
    });
  }

  /** Sixteen pages of nonpaged pool, and their frames. */
  pages(): { readonly va: Va; readonly frames: readonly number[] } {
    if (this.stretch === null) {
      const va = this.space.allocate('nonPagedPool', 16 * PAGE, PAGE);
      const frames = Array.from({ length: 16 }, (_, i) => this.space.frameOf(va + i * PAGE) ?? 0);
      this.stretch = { va, frames };
    }
    return this.stretch;
  }

  /** A memory descriptor list of `count` bytes of nonpaged pool. */
  mdl(count: number, next: Va = 0): Va {
    const { space, wide } = this;
    const { va: start, frames } = this.pages();
    const pages = Math.ceil(count / PAGE);
    const head = wide ? 0x30 : 0x1c;
    const va = space.allocate('nonPagedPool', head + pages * space.width);
    space.pointer(va, next);
    space.u16(va + space.width, head + pages * space.width);
    space.u16(va + space.width + 2, 4);
    space.pointer(va + (wide ? 0x18 : 0xc), start);
    space.pointer(va + (wide ? 0x20 : 0x10), start);
    space.u32(va + (wide ? 0x28 : 0x14), count);
    for (let i = 0; i < pages; i++) space.word(va + head + i * space.width, frames[i] ?? 0);
    return va;
  }

  /** NET_BUFFER with one list of pages, of which it uses `length` bytes. */
  netBuffer(mdlBytes: number, length: number): Va {
    const { space, wide } = this;
    const va = space.allocate('nonPagedPool', 0x80);
    const mdl = this.mdl(mdlBytes);
    space.pointer(va + (wide ? 8 : 4), mdl);
    space.u32(va + (wide ? 0x18 : 0xc), length);
    space.pointer(va + (wide ? 0x20 : 0x10), mdl);
    space.pointer(va + (wide ? 0x38 : 0x1c), this.pages().va);
    return va;
  }

  /** `_KTHREAD` of a process. */
  thread(process: Va): Va {
    const { wide, build, space } = this;
    const va = space.allocate('nonPagedPool', 0x300);
    space.pointer(va + (wide ? (build >= 9200 ? 0x220 : 0x210) : 0x150), process);
    return va;
  }

  pointerAt(va: Va, target: Va): void {
    this.space.pointer(va, target);
  }

  /** Memory for whatever is needed. */
  allocate(bytes: number): Va {
    return this.space.allocate('nonPagedPool', bytes);
  }
}

function once(known: Map<string, Va>, key: string, make: () => Va): Va {
  let va = known.get(key);
  if (va === undefined) known.set(key, (va = make()));
  return va;
}
