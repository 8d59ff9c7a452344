/**
 * Which of the binaries that tag lists name are parts of Windows. A tag that a part of Windows uses needs stronger
 * evidence before it counts as leaking, and a user who must call somebody wants to know whom.
 *
 * The rule: a name counts when it is on the built-in list and not among the exceptions below, or among the additions
 * below. The lists that the built-in one was read from are Microsoft's own and name Windows components but for those
 * exceptions. Any other name - an administrator may add lines to a pooltag.txt - does not count.
 */

import { builtInTagList } from './built-in.js';

/** On the built-in list, but not a part of Windows or not one component. */
const EXCEPTIONS: readonly string[] = [
  // drivers of hardware vendors
  'nvlddmkm', 'perm2dll', 'perm3dd', 'bt3c', 'pse36',
  // samples and test drivers
  'wfpsamplercalloutdriver', 'netiobvt', 'smbmrx',
  // Microsoft's, but from other products: Virtual PC and Virtual Server, InfiniBand stack, network emulator, drive extender
  'vmm', 'vmsrvc', 'vmusbbus', 'vmusbhub', 'vmusbstub', 'vuc', 'wibcm', 'wibms', 'wibpm', 'wibwmi', 'hcaport',
  'scsirdma', 'newt_ndis6', 'devolume',
  // not known to be in any Windows
  'cbsi', 'ccffilter', 'fse', 'rstorprt', 'tlnull', 'writelog',
  // too general a name
  'utils',
]; // prettier-ignore

/** Parts of Windows that the built-in list names by no tag. */
const ADDITIONS: readonly string[] = [
  'ntkrnlmp', 'ntkrnlpa', 'ntkrpamp', 'win32ksgd',
  'appid', 'applockerfltr', 'atapi', 'ataport', 'bam', 'beep', 'bindflt', 'bowser', 'cimfs', 'cldflt', 'cng',
  'compositebus', 'condrv', 'csc', 'disk', 'dxgmms1', 'ehstorclass', 'exfat', 'filecrypt', 'filetrace',
  'hidusb', 'hvsocket', 'intelppm', 'iorate', 'ks', 'ksthunk', 'mmcss', 'mountmgr', 'mrxsmb20', 'msfs',
  'msiscsi', 'mssecflt', 'mssmbios', 'nativewifip', 'ndiswan', 'ndproxy', 'ndu', 'npsvctrig', 'nsiproxy', 'null',
  'p9rdr', 'parport', 'peauth', 'portcls', 'rasl2tp', 'rdpvideominiport', 'sdbus', 'serenum', 'storahci', 'stornvme',
  'storqosflt', 'storufs', 'swenum', 'tcpipreg', 'tpm', 'ucx01000', 'usbccgp', 'usbehci', 'usbhub', 'usbhub3',
  'usbohci', 'usbport', 'usbstor', 'usbuhci', 'usbxhci', 'vmbusr', 'wanarp', 'wcifs', 'wdfilter',
  'wdnisdrv', 'winhv', 'winhvr', 'wmilib', 'wpprecorder',
]; // prettier-ignore

let known: ReadonlySet<string> | undefined;

/**
 * True when a name as a tag list writes it belongs to Windows: `nt!mm`, `afd.sys`, `win32kbase!HMAllocObject`. Letter
 * case and the extension do not matter; of `a.sys or b.sys` and `a.sys/b.sys` all must belong to it. `<multiple>` and
 * names that nobody knows do not.
 */
export function isWindowsBinary(binary: string): boolean {
  const names = splitNames(binary);
  return names.length > 0 && names.every((name) => windowsNames().has(component(name)));
}

function windowsNames(): ReadonlySet<string> {
  if (known) return known;
  const names = new Set(ADDITIONS);
  const listed = new Set<string>();
  for (const { binaries } of builtInTagList()) for (const binary of binaries) listed.add(binary);
  for (const binary of listed) for (const name of splitNames(binary)) names.add(component(name));
  for (const exception of [...EXCEPTIONS, '<multiple>', '<unknown>']) names.delete(exception);
  known = names;
  return known;
}

function splitNames(binary: string): string[] {
  const routine = binary.indexOf('!');
  // Behind a `!` stands a routine's name, which may hold anything; only ` or ` begins another binary.
  return binary
    .split(routine < 0 ? / or | and |[/,]/ : / or /)
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** `Afd.sys` -> `afd`, `nt!mm` -> `nt`, `storchannel.lib` -> `storchannel`. */
function component(name: string): string {
  return name
    .replace(/!.*$/s, '')
    .toLowerCase()
    .replace(/\.(?:sys|dll|exe|lib)$/, '');
}
