/** What the ready scenarios share. */

import { systemDrivers } from '../catalogue.js';
import type { ModuleSpec, PageFileSpec, ProcessSpec, TagUse } from '../scenario.js';

export const MB = 1024 * 1024;
export const GB = 1024 * MB;

/** The system's drivers with more about some of them, by name; names that are new are added. */
export function drivers(build: number, changes: Record<string, Partial<ModuleSpec>> = {}): ModuleSpec[] {
  const list = systemDrivers(build);
  const known = new Set(list.map((spec) => spec.name));
  const changed = list.map((spec) => ({ ...spec, ...changes[spec.name] }));
  const added = Object.entries(changes)
    .filter(([name]) => !known.has(name))
    .map(([name, spec]) => ({ name, ...spec }));
  return [...changed, ...added];
}

/** The tag inside longer text. */
export function decoy(tag: string, text?: string): TagUse {
  return { tag, style: 'text', ...(text === undefined ? {} : { text }) };
}

/** One page file of a fixed size, in bytes. */
export function pageFile(bytes: number, free: number, path = '\\??\\C:\\pagefile.sys'): PageFileSpec {
  const pages = bytes / 4096;
  return { path, currentPages: pages, freePages: Math.floor(pages * free), minimumPages: pages, maximumPages: pages };
}

/** System processes, and `count` more by the names given in turn; those of sessions cycle through `sessions`. */
export function processes(names: readonly string[], count: number, sessions: number): ProcessSpec[] {
  const system: ProcessSpec[] = [
    { name: 'System', pid: 4 },
    { name: 'smss.exe', commit: 110 },
  ];
  for (let session = 0; session <= sessions; session++) {
    system.push(
      { name: 'csrss.exe', session, commit: 820 },
      { name: session === 0 ? 'wininit.exe' : 'winlogon.exe', session, commit: 640 },
    );
  }
  for (let i = 0; i < count; i++) {
    const name = names[i % names.length] ?? 'svchost.exe';
    system.push({ name, session: sessions === 0 ? 0 : 1 + (i % sessions), commit: 1500 + ((i * 7919) % 40000) });
  }
  return system;
}
