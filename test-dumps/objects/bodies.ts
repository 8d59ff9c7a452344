/** Writes the bodies of objects of each type, and the structures that they lead to. */

import { latin1, putU32, putVa, utf16, type Va } from '../bytes.js';
import { structOf, type KernelFacts } from '../kernel-facts.js';
import type { KernelSpace } from '../kernel/kernel-space.js';
import { PAGE } from '../physical-memory.js';
import type { Detail, Thing } from './model/things.js';
import { sidBytes, type People } from './model/people.js';
import { Piece, putText } from './piece.js';
import type { Plan } from './model/plan.js';
import type { Block, Pool, PoolPages } from './pool-pages.js';

/** `TokenSource` of logons at the console. */
const TOKEN_SOURCE = 'User32 ';
const KEY_BODY_TYPE = 0x6b79_3032;
const EVERYONE = 'S-1-1-0';
const LOGON_SESSION = '_SEP_LOGON_SESSION_REFERENCES';
const HANDLE_CREATED = 0x4_0000;
/** Room for what the I/O manager keeps behind a driver object. */
const DRIVER_EXTENSION = 0x60;

export interface ModulePlace {
  name: string;
  base: Va;
  size: number;
}

export class Bodies {
  private readonly keys = new Map<string, Va>();
  private readonly sections = new Map<Thing, Va>();
  private readonly logonSessions = new Map<string, Va>();
  private readonly tokenParts = new Map<string, { size: number; sids: { at: number; sid: Uint8Array }[] }>();
  private luid = 0x10_0000;

  constructor(
    private readonly space: KernelSpace,
    private readonly kernel: KernelFacts,
    private readonly pool: PoolPages,
    private readonly plan: Plan,
    private readonly people: People,
    private readonly modules: readonly ModulePlace[],
  ) {}

  /** Bytes that an object of this kind has behind its body: what a token says of its user and groups, a driver's extension. */
  extra(thing: Thing): number {
    if (thing.detail?.kind === 'driver') return DRIVER_EXTENSION;
    return thing.detail?.kind === 'token' ? this.tokenPart(thing.detail.user).size : 0;
  }

  /** Writes the body of a placed object; processes, threads and types have their own writers. */
  write(thing: Thing, bytes: Uint8Array): void {
    const { detail } = thing;
    const of = (type: string): Piece => new Piece(this.kernel, type, bytes, thing.body);
    switch (detail?.kind) {
      case 'token':
        this.token(of('_TOKEN'), detail);
        break;
      case 'file':
        this.file(of('_FILE_OBJECT'), detail);
        break;
      case 'key': {
        const body = of('_CM_KEY_BODY');
        body.u32('Type', KEY_BODY_TYPE);
        body.pointer('KeyControlBlock', this.keyControlBlock(detail.path));
        body.word('ProcessID', detail.opener);
        body.emptyList('KeyBodyList');
        break;
      }
      case 'section':
        this.section(thing, bytes, detail);
        break;
      case 'alpc': {
        const port = of('_ALPC_PORT');
        port.emptyList('PortListEntry');
        port.pointer('CommunicationInfo', this.communication(detail.connection?.body ?? thing.body));
        port.pointer('OwnerProcess', detail.owner?.thing.body ?? 0);
        break;
      }
      case 'link': {
        const link = of('_OBJECT_SYMBOLIC_LINK');
        link.unicode('LinkTarget', detail.target.length, this.text('SymT', detail.target));
        break;
      }
      case 'device':
        this.device(of('_DEVICE_OBJECT'), detail);
        break;
      case 'driver':
        this.driver(thing, of('_DRIVER_OBJECT'), detail);
        break;
      case 'job': {
        const job = of('_EJOB');
        job.u32('TotalProcesses', detail.members);
        job.u32('ActiveProcesses', detail.members);
        break;
      }
      default:
        this.plain(thing, bytes);
    }
  }

  /** The logon session of an account. */
  logonSession(user: string): Va {
    const known = this.logonSessions.get(user);
    if (known !== undefined) return known;
    const account = this.people.account(user);
    const session = this.structure(LOGON_SESSION, 'pagedPool', 'SeLs');
    const [domain = '', name = ''] = user.split('\\');
    session.u64('LogonId', account.logonId);
    session.word('ReferenceCount', 12);
    session.unicode('AccountName', name.length, this.text('SeUs', name, 'pagedPool'));
    session.unicode('AuthorityName', domain.length, this.text('SeUs', domain, 'pagedPool'));
    this.logonSessions.set(user, session.va);
    return session.va;
  }

  /** `SepLogonSessions` points at an array of list heads. */
  writeLogonSessions(variable: Va | null): void {
    const { [LOGON_SESSION]: struct } = this.kernel.structs;
    if (variable === null || !struct) return;
    const { width } = this.space;
    const heads = this.pool.allocate('pagedPool', 'SeLs', 16 * width);
    const lists = new Map<number, Va>();
    for (const [user, va] of this.logonSessions) {
      const slot = this.people.account(user).logonId % 16;
      this.space.pointer(va + (struct.fields['Next'] ?? 0), lists.get(slot) ?? 0);
      lists.set(slot, va);
    }
    for (const [slot, va] of lists) this.space.pointer(heads.va + slot * width, va);
    this.space.pointer(variable, heads.va);
  }

  /** Characters in a block of their own. */
  text(tag: string, text: string, pool: Pool = 'pagedPool'): Va {
    const block = this.pool.allocate(pool, tag, text.length * 2 + 2);
    putText(block.bytes, block.va % PAGE, text);
    return block.va;
  }

  private structure(type: string, pool: Pool, tag: string): Piece {
    const block: Block = this.pool.allocate(pool, tag, this.kernel.structs[type]?.size ?? 0x40);
    return new Piece(this.kernel, type, block.bytes, block.va);
  }

  /** The user and two groups: `_SID_AND_ATTRIBUTES` first, then the SIDs; and where each SID stands. */
  private tokenPart(user: string): { size: number; sids: { at: number; sid: Uint8Array }[] } {
    const known = this.tokenParts.get(user);
    if (known) return known;
    const sids = [this.people.account(user).sid, EVERYONE, 'S-1-5-11'].map(sidBytes);
    let at = sids.length * this.space.width * 2;
    const places = sids.map((sid) => {
      const place = { at, sid };
      at += Math.ceil(sid.length / 8) * 8;
      return place;
    });
    const part = { size: at, sids: places };
    this.tokenParts.set(user, part);
    return part;
  }

  private token(token: Piece, detail: Detail & { kind: 'token' }): void {
    const account = this.people.account(detail.user);
    const { sids } = this.tokenPart(detail.user);
    const { size } = this.kernel.structs['_TOKEN'] ?? { size: 0 };
    const { width } = this.space;
    const part = token.va + size;
    token.ascii('TokenSource', TOKEN_SOURCE);
    token.u64('TokenId', this.luid++);
    token.u64('AuthenticationId', account.logonId);
    token.u64('ParentTokenId', 0);
    token.u64('ModifiedId', 0x47_7a);
    if (!token.has('PrivilegeCount')) {
      // _SEP_TOKEN_PRIVILEGES: present, enabled, by default.
      [0x8_0080_0004, 0x80_0000, 0x80_0000].forEach((mask, i) => {
        putVa(token.bytes, (token.address('Privileges') % PAGE) + i * 8, mask);
      });
    }
    token.u32('TokenFlags', 0x2000);
    token.u32('SessionId', detail.session);
    token.u32('UserAndGroupCount', sids.length);
    token.pointer('UserAndGroups', part);
    token.pointer('PrimaryGroup', part + (sids[1]?.at ?? 0));
    token.u32('TokenType', detail.primary ? 1 : 2);
    token.u32('ImpersonationLevel', detail.primary ? 0 : 2);
    token.u8('TokenInUse', detail.inUse ? 1 : 0);
    token.pointer('LogonSession', this.logonSession(detail.user));
    sids.forEach(({ at, sid }, i) => {
      const entry = new Piece(this.kernel, '_SID_AND_ATTRIBUTES', token.bytes, part + i * width * 2);
      entry.pointer('Sid', part + at);
      entry.u32('Attributes', 7);
      token.bytes.set(sid, (part % PAGE) + at);
    });
  }

  private file(file: Piece, detail: Detail & { kind: 'file' }): void {
    file.u16('Type', 5);
    file.u16('Size', this.kernel.structs['_FILE_OBJECT']?.size ?? 0);
    file.pointer('DeviceObject', this.plan.device(detail.device).body);
    file.u32('Flags', HANDLE_CREATED);
    file.u8('ReadAccess', 1);
    file.u8('SharedRead', 1);
    file.emptyList('IrpList');
    file.pointer('RelatedFileObject', detail.related?.body ?? 0);
    if (detail.path !== '') file.unicode('FileName', detail.path.length, this.text('IoNm', detail.path));
  }

  private device(device: Piece, detail: Detail & { kind: 'device' }): void {
    const driver = this.plan.nameSpace.get(detail.driver);
    device.u16('Type', 3);
    device.u16('Size', this.kernel.structs['_DEVICE_OBJECT']?.size ?? 0);
    device.u32('ReferenceCount', 1);
    device.pointer('DriverObject', driver?.body ?? 0);
    device.u32('DeviceType', 0x22);
    device.u8('StackSize', 1);
  }

  /**
   * What a driver sets as it starts, at the places that driver code of each width is compiled for: DriverInit, no DriverStartIo,
   * DriverUnload, 28 dispatch routines of which the first is at 0x1200; AddDevice in an extension.
   */
  private driverRoutines({ bytes, va }: Piece, { base }: ModulePlace): void {
    const { width } = this.space;
    const [init, extensionAt] = width === 8 ? [0x58, 0x30] : [0x2c, 0x18];
    const at = (offset: number): number => (va % PAGE) + offset;
    const put = (offset: number, value: Va): void => {
      if (width === 8) putVa(bytes, at(offset), value);
      else putU32(bytes, at(offset), value);
    };
    put(init, base + 0x1010);
    put(init + 2 * width, base + 0x1100);
    for (let i = 0; i < 28; i++) put(init + (3 + i) * width, base + 0x1200 + i * 0x20);
    const extension = this.kernel.structs['_DRIVER_OBJECT']?.size ?? 0;
    put(extension, va);
    put(extension + width, base + 0x1180);
    put(extensionAt, va + extension);
  }

  private driver(thing: Thing, driver: Piece, detail: Detail & { kind: 'driver' }): void {
    const path = [...this.plan.nameSpace].find(([, one]) => one === thing)?.[0] ?? '';
    const module = this.modules.find((one) => one.name.toLowerCase() === detail.module.toLowerCase());
    const device = this.plan.things.find(({ detail: of }) => of?.kind === 'device' && of.driver === path);
    driver.u16('Type', 4);
    driver.u16('Size', this.kernel.structs['_DRIVER_OBJECT']?.size ?? 0);
    driver.pointer('DeviceObject', device?.body ?? 0);
    driver.pointer('DriverStart', module?.base ?? 0);
    driver.u32('DriverSize', module?.size ?? 0);
    driver.unicode('DriverName', path.length, this.text('IoDn', path));
    if (module !== undefined) this.driverRoutines(driver, module);
  }

  private section(thing: Thing, bytes: Uint8Array, detail: Detail & { kind: 'section' }): void {
    const area = detail.file ? this.controlArea(detail.file) : this.controlArea(null);
    const type = '_SECTION' in this.kernel.structs ? '_SECTION' : '_SECTION_OBJECT';
    const section = new Piece(this.kernel, type, bytes, thing.body);
    section.pointer('u1.ControlArea', area);
    section.word('SizeOfSection', 0x4_0000);
    const segment = this.structure('_SEGMENT', 'pagedPool', 'MmSm');
    segment.pointer('ControlArea', area);
    segment.u32('TotalNumberOfPtes', 0x40);
    section.pointer('Segment', segment.va);
    this.space.pointer(area, segment.va);
  }

  private controlArea(file: Thing | null): Va {
    const known = file ? this.sections.get(file) : undefined;
    if (known !== undefined) return known;
    const area = this.structure('_CONTROL_AREA', 'nonPagedPool', 'MmCa');
    area.word('NumberOfSectionReferences', 1);
    area.word('NumberOfUserReferences', 1);
    // A fast reference, whose low bits are a count; before Windows Vista a plain pointer.
    const count = this.kernel.build < 6000 ? 0 : 3;
    if (file) area.pointer('FilePointer', file.body + count);
    if (file) this.sections.set(file, area.va);
    return area.va;
  }

  private communication(connection: Va): Va {
    const info = this.structure('_ALPC_COMMUNICATION_INFO', 'pagedPool', 'AlIn');
    info.pointer('ConnectionPort', connection);
    info.pointer('ServerCommunicationPort', connection);
    return info.va;
  }

  /** Control blocks from the root of the registry down to the key. */
  private keyControlBlock(path: string): Va {
    const known = this.keys.get(path);
    if (known !== undefined) return known;
    const cut = path.lastIndexOf('\\');
    const name = path.slice(cut + 1);
    const block = this.structure('_CM_KEY_CONTROL_BLOCK', 'pagedPool', 'CMkb');
    block.u32('RefCount', 1);
    block.pointer('ParentKcb', cut <= 0 ? 0 : this.keyControlBlock(path.slice(0, cut)));
    block.pointer('NameBlock', this.nameBlock(name));
    this.keys.set(path, block.va);
    return block.va;
  }

  /** Names of plain characters are stored a byte each. */
  private nameBlock(name: string): Va {
    const { fields, size } = structOf(this.kernel, '_CM_NAME_CONTROL_BLOCK');
    const compressed = !/[^\u0000-\u00ff]/.test(name);
    const at = fields['Name'] ?? 0;
    const bytes = compressed ? latin1(name) : utf16(name);
    const block = this.pool.allocate('pagedPool', 'CMNb', Math.max(size, at + bytes.length));
    const piece = new Piece(this.kernel, '_CM_NAME_CONTROL_BLOCK', block.bytes, block.va);
    // Bit 0 says compressed; the count stands beside it, in the same word on later systems.
    if (fields['RefCount'] === fields['Compressed']) piece.u32('Compressed', (compressed ? 1 : 0) | 2);
    else {
      piece.u8('Compressed', compressed ? 1 : 0);
      piece.u16('RefCount', 1);
    }
    piece.u16('NameLength', bytes.length);
    block.bytes.set(bytes, (block.va % PAGE) + at);
    return block.va;
  }

  /** Dispatcher objects: type and state; of others only a few bytes that are not zero. */
  private plain(thing: Thing, bytes: Uint8Array): void {
    const types: Readonly<Record<string, [type: number, struct: string]>> = {
      Event: [this.plan.random.int(0, 1), '_KEVENT'],
      Mutant: [2, '_KMUTANT'],
      Semaphore: [5, '_KSEMAPHORE'],
      Timer: [8, '_KTIMER'],
    };
    const known = types[thing.kind.name];
    if (!known) {
      if (thing.kind.name !== 'Directory') putU32(bytes, thing.body % PAGE, 0x1);
      return;
    }
    const header = new Piece(this.kernel, '_DISPATCHER_HEADER', bytes, thing.body);
    header.u8('Type', known[0]);
    header.u8('Size', (this.kernel.structs[known[1]]?.size ?? 0x18) / 4);
    header.u32('SignalState', thing.kind.name === 'Mutant' ? 1 : 0);
    header.emptyList('WaitListHead');
    if (thing.kind.name === 'Semaphore') new Piece(this.kernel, '_KSEMAPHORE', bytes, thing.body).u32('Limit', 100);
  }
}
