/** Names as the linker wrote them, back to the names in the source. */

/** IMAGE_FILE_MACHINE_I386: the only processor whose C names are decorated. */
export const MACHINE_X86 = 0x14c;

/**
 * The C name of a public symbol: on x86 `_name`, `_stdcall@8`, `@fastcall@8` lose their decoration. Names of other processors and
 * C++ names (`?...`) are returned as they are.
 */
export function undecorate(name: string, machine: number): string {
  if (machine !== MACHINE_X86 || (!name.startsWith('_') && !name.startsWith('@'))) return name;
  return name.slice(1).replace(/@\d+$/, '');
}
