/** Which name a module has: its list entry tells it twice (BaseDllName, FullDllName), and the image has names as well. */

import { fileName, isFileName, type EntryName, type ListEntry } from './list-entry.js';
import { isAlias, type ImageName } from './image-names.js';
import { open, settled, type ModuleDoubt } from './module-doubt.js';

/** A name with the path that fits it. */
export interface ChosenName {
  readonly name: string;
  readonly path: string | null;
  readonly doubts: readonly ModuleDoubt[];
}

/** True for a name that an entry other than `entry` has. */
export type IsTaken = (name: string, entry: ListEntry) => boolean;

/** Names that entries have by both of their names: those of other modules, when they turn up in one place only. */
export function takenNames(entries: readonly ListEntry[]): IsTaken {
  const owners = new Map<string, Set<ListEntry>>();
  for (const entry of entries) {
    const name = entry.baseName.text?.toLowerCase();
    const tail = tailOf(entry.fullName)?.toLowerCase();
    if (name === undefined || (tail !== undefined && tail !== name)) continue;
    owners.set(name, (owners.get(name) ?? new Set()).add(entry));
  }
  return (name, entry) => [...(owners.get(name.toLowerCase()) ?? [])].some((owner) => owner !== entry);
}

/** Chooses. `images` are what the image calls itself, as far as it can be read. */
export function chooseName(entry: ListEntry, images: readonly ImageName[], isTaken: IsTaken): ChosenName {
  const { baseName, fullName } = entry;
  const tail = tailOf(fullName);
  const fromImage = (name: string): boolean => images.some(({ text }) => isAlias(text, name));
  const base = baseName.text;
  if (base !== null && tail !== null) {
    if (base.toLowerCase() === tail.toLowerCase()) {
      const doubts = [...wrongOf('BaseDllName', baseName), ...wrongOf('FullDllName', fullName)];
      // Two of one name are loaded from different places, or the whole entry is another's.
      if (isTaken(base, entry) && images.length > 0 && !fromImage(base)) {
        doubts.push(open(`another module is called ${short(base)}, and the image calls itself ${namesOf(images)}`));
      }
      return { name: base, path: fullName.text, doubts };
    }
    return between(entry, base, tail, images, isTaken);
  }
  const name = base ?? tail;
  const field = base === null ? 'BaseDllName' : 'FullDllName';
  const doubts = wrongOf(field, base === null ? baseName : fullName);
  const path = base === null || tail !== null ? fullName.text : null;
  if (name === null) {
    const found = images.find(({ text }) => isFileName(text));
    const why = open(
      `BaseDllName and FullDllName tell no name${found === undefined ? '' : `; ${short(found.text)} is from ${found.from}`}`,
    );
    const isMissing = baseName.wrong === null && fullName.wrong === null && found === undefined;
    return { name: found?.text ?? 'unknown', path: null, doubts: isMissing ? [] : [why] };
  }
  if (images.length > 0 && !fromImage(name)) {
    const other = `the list calls it ${short(name)}, the image itself ${namesOf(images)}`;
    if (isTaken(name, entry)) doubts.push(open(`${other}, and another module is called so`));
    else if (!/\.(?:sys|dll|exe)$/i.test(name) || doubts.length > 0) doubts.push(open(other));
    else doubts.push(settled(other));
  } else if (isTaken(name, entry)) doubts.push(open(`another module is called ${short(name)} as well`));
  return { name, path, doubts };
}

/** Two names that differ. */
function between(
  { fullName, ...entry }: ListEntry,
  base: string,
  tail: string,
  images: readonly ImageName[],
  isTaken: IsTaken,
): ChosenName {
  const own = { ...entry, fullName };
  const weigh = (name: string, field: EntryName): number =>
    (images.some(({ text }) => isAlias(text, name)) ? 4 : 0) +
    (images.some(({ text }) => text.toLowerCase() === name.toLowerCase()) ? 2 : 0) +
    (/\.(?:sys|dll|exe)$/i.test(name) ? 1 : -4) -
    (isTaken(name, own) ? 2 : 0) -
    (field.wrong === null ? 0 : 4);
  const [forBase, forTail] = [weigh(base, entry.baseName), weigh(tail, fullName)];
  // What the loader renames has two names, of which one begins with the other: no contradiction.
  const isRenamed =
    isAlias(base, tail) && entry.baseName.wrong === null && fullName.wrong === null && forBase > 0 && forTail > 0;
  if (isRenamed) return { name: base, path: fullName.text, doubts: [] };
  const takesBase = forBase > forTail;
  const name = takesBase ? base : tail;
  const message = `BaseDllName is ${short(base)}, FullDllName ends in ${short(tail)}${images.length === 0 ? '' : `, the image calls itself ${namesOf(images)}`}`;
  const isSettled = Math.abs(forBase - forTail) >= 3 && Math.max(forBase, forTail) >= 4;
  return { name, path: takesBase ? null : fullName.text, doubts: [(isSettled ? settled : open)(message)] };
}

/** Names in a message are cut to so many characters. */
const SHOWN = 64;

const short = (text: string): string => (text.length > SHOWN ? `${text.slice(0, SHOWN - 3)}...` : text);

function tailOf({ text }: EntryName): string | null {
  const tail = text === null ? '' : fileName(text);
  return isFileName(tail) ? tail : null;
}

const wrongOf = (field: string, { wrong }: EntryName): ModuleDoubt[] =>
  wrong === null ? [] : [settled(`${field} ${wrong}`)];

function namesOf(images: readonly ImageName[]): string {
  return [...new Set(images.map(({ text, from }) => `${short(text)} (${from})`))].join(', ');
}
