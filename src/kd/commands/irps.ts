/** I/O request packets: `!irp`, in the look of current debuggers, with names of functions. */

import { virtual } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { printable } from '../../../parsers/text-safety.js';
import { MAJOR_NAMES, minorName } from '../../kernel/objects/irp-names.js';
import { IRP_LAYOUTS, readIrp, type Irp, type IrpLocation } from '../../kernel/objects/irp.js';
import { unquoted } from '../../views/words.js';
import type { Call, Family } from '../command.js';
import { KdError } from '../kd-error.js';
import type { Session } from '../session.js';
import { driverPath, ioReaders } from './devices.js';

/** Nothing is mapped below. */
const LOWEST_ADDRESS = 0x10000n;
const PENDING = 0x01;
const ON_CANCEL = 0x20;
const ON_SUCCESS = 0x40;
const ON_ERROR = 0x80;
/** Their third parameter is a control code. */
const WITH_CODE: readonly (string | undefined)[] = ['FILE_SYSTEM_CONTROL', 'DEVICE_CONTROL', 'INTERNAL_DEVICE_CONTROL'];

/** Names of what packets lead to. */
export interface IrpNames {
  /** `\Driver\disk` of a device. */
  driver(device: bigint): string;
  /** The symbol at a routine; null where it has none. */
  routine(address: bigint): Promise<string | null>;
}

/** The lines of `!irp`. Addresses that are null have 8 digits on every system. */
export async function irpLines(irp: Irp, pointerSize: 4 | 8, names: IrpNames): Promise<string[]> {
  const layout = IRP_LAYOUTS[pointerSize];
  const at = (value: bigint): string => value.toString(16).padStart(value === 0n ? 8 : pointerSize * 2, '0');
  const { current, stack } = irp;
  const place = virtual(irp.address + BigInt(layout.size + (current - 1) * layout.location));
  const system = associatedText(irp, at);
  const lines = [
    current > stack
      ? `Irp is complete (CurrentLocation ${current} > StackCount ${stack})`
      : `Irp is active with ${stack} stacks ${current} is current (= 0x${at(place)})`,
    `${irp.mdl === 0n ? ' No Mdl:' : ` Mdl=${at(irp.mdl)}:`}${system} Thread ${at(irp.thread)}:  Irp stack trace.  ${irp.pendingReturned ? 'Pending has been returned' : ''}`,
    '     cmd  flg cl Device   File     Completion-Context',
  ];
  for (const [i, location] of irp.locations.entries()) {
    const mark = i + 1 === current ? '>' : ' ';
    if (location === null) lines.push(`${mark}[stack location ${i + 1} is not in the dump]`);
    else lines.push(...(await locationLines(location, mark, at, names)));
  }
  return lines;
}

/** What `AssociatedIrp` is: no address where it counts the parts of a packet that was split. */
function associatedText({ system, isAssociated }: Irp, at: (value: bigint) => string): string {
  if (system === 0n) return ' No System Buffer:';
  if (isAssociated) return ` Associated Irp=${at(system)}:`;
  return system < LOWEST_ADDRESS ? ` IrpCount=${system}:` : ` System buffer=${at(system)}:`;
}

async function locationLines(
  location: IrpLocation,
  mark: string,
  at: (value: bigint) => string,
  names: IrpNames,
): Promise<string[]> {
  const { major, minor, control, device, completion } = location;
  const isEmpty = device === 0n && major === 0;
  const majorName = isEmpty ? undefined : MAJOR_NAMES[major];
  const second = isEmpty ? null : minorName(major, minor);
  const function_ = `${majorName === undefined ? 'N/A' : `IRP_MJ_${majorName}`}(${major.toString(16)})`;
  const invoked = (bit: number, word: string): string => (completion !== 0n && (control & bit) !== 0 ? word : '');
  const when = [
    ...[invoked(ON_SUCCESS, 'Success'), invoked(ON_ERROR, 'Error'), invoked(ON_CANCEL, 'Cancel')],
    (control & PENDING) !== 0 ? 'pending' : '',
  ];
  const routine = completion === 0n ? null : await names.routine(completion);
  const [one, two, three, four] = location.parameters.map((value) => value.toString(16).padStart(8, '0'));
  const code = WITH_CODE.includes(majorName) ? '0x' : '';
  return [
    `${mark}[${function_}, ${second === null ? 'N/A' : `IRP_MN_${second}`}(${minor.toString(16)})]`,
    `            ${location.flags.toString(16)} ${control.toString(16).padStart(2)} ${at(device)} ${at(location.file)} ${at(completion)}-${at(location.context)} ${when.join(' ')}`,
    device === 0n ? '' : `\t       ${names.driver(device)}${routine === null ? '' : `\t${printable(routine)}`}`,
    `\t\t\tArgs: ${one ?? ''} ${two ?? ''} ${code}${three ?? ''} ${four ?? ''}`,
  ];
}

/** Names the driver of a device: only where both are what their types and sizes say. */
export function driverNames(session: Session): IrpNames['driver'] {
  const readers = ioReaders(session);
  return (device) => {
    const driver = readers?.io.device(virtual(device))?.driver ?? 0n;
    return readers === null ? '(driver not known)' : driverPath(readers.objects, readers.io, driver);
  };
}

async function irp({ session, words }: Call): Promise<void> {
  const [word, ...more] = words;
  if (word === undefined) throw new KdError('!irp wants the address of a packet: !irp fffffa800ab61bd0');
  if (more.length > 0) throw new KdError('!irp takes an address alone here: its flags are not');
  const address = session.address(await session.evaluate(unquoted(word)));
  const found = readIrp(session.memoryAt(address), address);
  const shown = session.pointer(address);
  if (found === null) throw new KdError(`${shown}: is not an I/O request packet`, 'input');
  if (failed(found)) throw new KdError(`${shown}: cannot be read: ${printable(found.message)}`, 'input');
  const lines = await irpLines(found, session.pointerSize, {
    driver: driverNames(session),
    routine: async (routine) => session.symbols.nameOf(routine),
  });
  await session.out.text(`${lines.join('\n')}\n`);
}

export const irps: Family = {
  title: 'I/O request packets',
  commands: [
    {
      names: ['!irp'],
      usage: ['!irp Address'],
      summary: 'An I/O request packet: its stack locations, the drivers they are for, what completes them',
      standing: 'differs',
      differs: 'In the look with names of functions, which came with Windows 8. Its flags are not here.',
      run: irp,
    },
  ],
};
