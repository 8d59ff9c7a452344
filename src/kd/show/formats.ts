/** The lines of `.formats`. */

import { fileTimeText } from '../../result/file-time.js';
import { clockText } from '../../views/print/clock.js';
import { debuggerAddress } from '../../views/print/format.js';

/** `6.36908e-022`: C's `%g`, with exponents of three digits as the debugger's runtime printed them. */
function shortReal(value: number): string {
  if (Object.is(value, -0)) return '-0';
  if (value === 0) return '0';
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  const exponent = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(6)))));
  if (exponent >= -4 && exponent < 6) return String(Number(value.toPrecision(6)));
  const [mantissa = '', power = ''] = value.toExponential(5).split('e');
  const digits = power.replace(/[+-]/, '').padStart(3, '0');
  return `${mantissa.replace(/\.?0+$/, '')}e${power.startsWith('-') ? '-' : '+'}${digits}`;
}

function groups(digits: string, size: number): string {
  return digits.replace(new RegExp(`(.{${size}})(?=.)`, 'g'), '$1 ');
}

function chars(bytes: Uint8Array): string {
  return [...bytes].map((byte) => (byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : '.')).join('');
}

/** A value under 2^32 is seconds since 1970, another one 100 ns since 1601. */
function timeOf(value: bigint): string {
  if (value < 0x1_0000_0000n) return clockText(new Date(Number(value) * 1000));
  const text = fileTimeText(value);
  return text === null ? '***** Invalid FILETIME' : `${clockText(new Date(text), true)} (UTC + 0:00)`;
}

/** `wide`: the target has 64-bit values. */
export function formatLines(value: bigint, wide: boolean): string {
  const bits = wide || value > 0xffff_ffffn ? 64 : 32;
  const all = BigInt.asUintN(bits, value);
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, all);
  const signed = BigInt.asIntN(bits, all);
  return [
    'Evaluate expression:',
    `  Hex:     ${debuggerAddress(all, bits === 64)}`,
    `  Decimal: ${signed}`,
    ...(signed < 0n ? [`  Decimal (unsigned) : ${all}`] : []),
    `  Octal:   ${all.toString(8).padStart(bits === 64 ? 22 : 11, '0')}`,
    `  Binary:  ${groups(all.toString(2).padStart(bits, '0'), 8)}`,
    `  Chars:   ${chars(bytes.subarray(bits === 64 ? 0 : 4))}`,
    `  Time:    ${timeOf(all)}`,
    `  Float:   low ${shortReal(view.getFloat32(4))} high ${shortReal(view.getFloat32(0))}`,
    `  Double:  ${shortReal(view.getFloat64(0))}`,
    '',
  ].join('\n');
}
