/** ARM64 instructions as WinDbg writes them: those that make a constant or load it, and calls. */

const MNEMONIC = 8;

const line = (mnemonic: string, operands: string): string => `${mnemonic.padEnd(MNEMONIC)}${operands}`;
const hex = (value: number): string => `#0x${value.toString(16).toUpperCase()}`;

/** The text of one instruction word at an address; null for those that evidence never shows. */
export function arm64Text(word: number, address: bigint): string | null {
  const target = word & 31;
  const wide = word >>> 31 === 1;
  const register = (number: number): string => `${wide ? 'x' : 'w'}${number === 31 ? 'zr' : number}`;
  if ((word & 0x1f800000) === 0x12800000) {
    const operation = (word >>> 29) & 3;
    const shift = ((word >>> 21) & 3) * 16;
    const name = ['movn', null, 'mov', 'movk'][operation] ?? null;
    const value = (word >>> 5) & 0xffff;
    const tail = shift === 0 ? '' : `,lsl #${shift}`;
    return name === null ? null : line(name, `${register(target)},${hex(value)}${tail}`);
  }
  if ((word & 0xbf000000) === 0x18000000) {
    const literal = address + BigInt(((word << 8) >> 13) * 4);
    return line('ldr', `${(word & 0x40000000) === 0 ? 'w' : 'x'}${target},=0x${literal.toString(16).toUpperCase()}`);
  }
  const access = (word & 0xbfc00000) >>> 0;
  if (access === 0xb9400000 || access === 0xb9000000) {
    const name = (word & 0x400000) !== 0 ? 'ldr' : 'str';
    const big = (word & 0x40000000) !== 0;
    const base = (word >>> 5) & 31;
    const place = ((word >>> 10) & 0xfff) * (big ? 8 : 4);
    const value = `${big ? 'x' : 'w'}${target === 31 ? 'zr' : target}`;
    return line(name, `${value},[${base === 31 ? 'sp' : `x${base}`}${place === 0 ? '' : `,${hex(place)}`}]`);
  }
  if ((word & 0x7c000000) === 0x14000000) {
    const to = BigInt.asUintN(64, address + BigInt((word << 6) >> 4));
    return line(wide ? 'bl' : 'b', to.toString(16).toUpperCase().padStart(16, '0'));
  }
  if ((word & 0xff9ffc1f) >>> 0 === 0xd61f0000) {
    const name = ['br', 'blr', 'ret', null][(word >>> 21) & 3] ?? null;
    return name === null ? null : line(name, `x${(word >>> 5) & 31}`);
  }
  return null;
}
