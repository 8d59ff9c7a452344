/**
 * Paths without names of people and places: users, servers, shares, and folders that are not those of every Windows. What
 * Windows and setup programs lay down (`\SystemRoot\System32\drivers`, `Program Files\Vendor`) stays, since it says where
 * a driver came from.
 */

/** Gives the pseudonyms of the parts of a path. */
export interface PathNames {
  user(name: string): string;
  host(name: string): string;
  share(name: string): string;
  folder(name: string): string;
  file(name: string): string;
}

/** What the next part of the path is. */
type Place = 'start' | 'user' | 'profile' | 'system' | 'host' | 'share' | 'private';

/** Before the first folder: devices, drives and their prefixes. */
const DEVICE =
  /^(?:|\?\?|\?|\.|~|globalroot|global\?\?|dosdevices|device|[a-z]:|harddisk(?:volume)?\d+|partition\d+|dr\d+|cdrom\d+|volume\{[\da-f-]+\}|volumes|mnt|media|opt|tmp|var|srv)$/i;
const NETWORK = /^(?:unc|mup|lanmanredirector|webdavredirector|;[a-z]:.*)$/i;
const PROFILES = /^(?:users|documents and settings|home)$/i;
const SYSTEM =
  /^(?:windows|winnt|systemroot|%systemroot%|%windir%|system32|syswow64|sysarm32|sysnative|drivers|program files|program files \(x86\)|programdata|boot|efi)$/i;
/** Profiles that are nobody's. */
const NOBODY =
  /^(?:public|default|default user|all users|localservice|networkservice|systemprofile|defaultapppool|%username%)$/i;
/** Folders in every profile. */
const OF_PROFILES =
  /^(?:appdata|local|locallow|roaming|temp|desktop|downloads|documents|my documents|application data|local settings|microsoft|windows|programs|onedrive)$/i;
/** Files whose names are those of programs. */
const PROGRAM = /^[^\s]+\.(?:sys|dll|exe|pdb|drv|efi)$/i;

/** Keeps the separators. `keepFile`: the last part is a module's name and stays whatever it is. */
export function redactPath(path: string, names: PathNames, keepFile: boolean): string {
  const parts = path.split(/([\\/]+)/);
  let place: Place = /^(?:\\\\|\/\/)[^\\/?.]/.test(path) ? 'host' : 'start';
  let out = '';
  for (const [i, part] of parts.entries()) {
    if (i % 2 === 1 || part === '') {
      out += part;
      continue;
    }
    if (i === parts.length - 1) return out + lastPart(part, place, names, keepFile);
    const step: Step = folder(part, place, names);
    out += step.text;
    place = step.place;
  }
  return out;
}

interface Step {
  text: string;
  place: Place;
}

function folder(part: string, place: Place, names: PathNames): Step {
  switch (place) {
    case 'host':
      if (NETWORK.test(part)) return { text: part, place: 'host' };
      return { text: names.host(part), place: 'share' };
    case 'share':
      return { text: names.share(part), place: 'private' };
    case 'user':
      return { text: NOBODY.test(part) ? part : names.user(part), place: 'profile' };
    case 'profile':
      return OF_PROFILES.test(part) ? { text: part, place } : { text: names.folder(part), place: 'private' };
    case 'system':
      if (/^profiles$/i.test(part)) return { text: part, place: 'user' };
      return { text: part, place: /^temp$/i.test(part) ? 'profile' : place };
    case 'start':
      if (DEVICE.test(part)) return { text: part, place };
      if (NETWORK.test(part)) return { text: part, place: 'host' };
      if (SYSTEM.test(part)) return { text: part, place: 'system' };
      if (PROFILES.test(part)) return { text: part, place: 'user' };
      return { text: names.folder(part), place: 'private' };
    case 'private':
      // A profile on another server, or under the root of a mounted disk.
      return PROFILES.test(part) ? { text: part, place: 'user' } : { text: names.folder(part), place };
  }
}

function lastPart(part: string, place: Place, names: PathNames, keepFile: boolean): string {
  if (place === 'host') return names.host(part);
  if (place === 'share') return names.share(part);
  if (place === 'user' && !PROGRAM.test(part)) return NOBODY.test(part) ? part : names.user(part);
  if (keepFile || PROGRAM.test(part) || DEVICE.test(part) || SYSTEM.test(part) || PROFILES.test(part)) return part;
  return place === 'system' || (place === 'profile' && OF_PROFILES.test(part)) ? part : names.file(part);
}
