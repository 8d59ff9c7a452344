/**
 * What a dump shows of the machine that it is of. Kernel dumps hold no name (complete dumps do), and none the identity of
 * the installation; but within one boot the time of the boot and the addresses that the kernel and its first drivers were
 * loaded at stay the same, and no other boot has both.
 */

import { createHash } from 'node:crypto';
import type { AnalysisResult, ModuleInfo } from '../result/result.js';
import type { MachineFacts } from './inputs/entries.js';

/** Loaded by every boot and never unloaded. */
const BOOT_DRIVERS = [
  'hal.dll', 'kdcom.dll', 'ci.dll', 'clfs.sys', 'fltmgr.sys', 'msrpc.sys', 'acpi.sys', 'pci.sys', 'volmgr.sys',
  'mountmgr.sys', 'partmgr.sys', 'disk.sys', 'ksecdd.sys', 'cng.sys', 'ndis.sys', 'tcpip.sys', 'ntfs.sys',
]; // prettier-ignore
/** Fewer of them could stand at the same addresses by chance, where addresses are hardly random (Windows 7). */
const FEWEST_DRIVERS = 4;

const hash = (parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);

/** `name` is what the user says. */
export function machineFacts(result: AnalysisResult, name: string | null): MachineFacts {
  const { dump, system, modules } = result;
  const own = system?.machineName ?? null;
  const time = dump.systemTime === null ? NaN : Date.parse(dump.systemTime);
  const { architecture, processors, physicalPages } = dump;
  const hardware =
    processors === null || physicalPages === null ? null : hash([architecture, processors, physicalPages]);
  return {
    name: name ?? own,
    nameFrom: name !== null ? 'folder' : own === null ? null : 'dump',
    bootTime: Number.isNaN(time) || dump.upTimeSeconds === null ? null : Math.round(time - dump.upTimeSeconds * 1000),
    bootImage: bootImage(result, hardware, modules ?? []),
    hardware,
  };
}

function bootImage({ system }: AnalysisResult, hardware: string | null, modules: readonly ModuleInfo[]): string | null {
  const base = system?.kernelBase ?? null;
  if (base === null || hardware === null) return null;
  const places = new Map(modules.map(({ name, base, timeDateStamp }) => [name.toLowerCase(), [base, timeDateStamp]]));
  const found = BOOT_DRIVERS.flatMap((name) => (places.has(name) ? [[name, places.get(name)]] : []));
  return found.length < FEWEST_DRIVERS ? null : hash([hardware, base, system?.buildNumber, system?.kernelPdb, found]);
}
