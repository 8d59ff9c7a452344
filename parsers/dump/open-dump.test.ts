/** Opening a dump: what its header and its end say before anything of it is read. */

import { expect } from 'chai';
import { buildDump } from '../../test-dumps/build-dump.js';
import { InputError } from '../bytes/input-error.js';
import { MemorySource } from '../bytes/source.js';
import { ATTRIBUTES, openDump, type Dump } from './open-dump.js';

const X64 = buildDump({ kind: 'full', memory: { bytes: 32 * 2 ** 20 } }).toBytes();
const X86 = buildDump({ kind: 'full', kernel: '7601', architecture: 'x86', memory: { bytes: 32 * 2 ** 20 } }).toBytes();

const open = (bytes: Uint8Array): Dump => openDump(new MemorySource(bytes, 'x.dmp'));

function refusal(bytes: Uint8Array): [string, string] {
  try {
    open(bytes);
  } catch (error) {
    if (error instanceof InputError) return [error.code, error.message];
    throw error;
  }
  return ['opened', ''];
}

/** Where Attributes stand in the headers of both widths. */
const ATTRIBUTES_AT = { x64: 0x1050, x86: 0x8a0 } as const;

describe('opening a dump', () => {
  it('wants the whole header, of 0x2000 bytes or of 0x1000, and something behind it', () => {
    for (const [bytes, size] of [
      [X64, 0x2000],
      [X86, 0x1000],
    ] as const) {
      for (const length of [8, size - 1]) {
        const [code, message] = refusal(bytes.subarray(0, length));
        expect(code).to.equal('header-only');
        expect(message).to.contain(`ends inside the dump header (${length} of ${size} bytes)`);
      }
      expect(refusal(bytes.subarray(0, size))).to.satisfy(
        ([code, message]: string[]) => code === 'header-only' && !message?.includes('inside'),
      );
      expect(refusal(bytes)[0]).to.equal('opened');
    }
    expect(refusal(X64.subarray(0, 7))[0]).to.equal('text-file');
    expect(refusal(new Uint8Array(0x4000))[0]).to.equal('all-zero');
  });

  it('says how many pages are missing where the file was cut, counting a part of one', () => {
    const whole = open(X64);
    expect([whole.truncated, whole.pagesCut, whole.softErrors.length]).to.deep.equal([false, 0, 0]);
    expect(whole.end).to.equal(X64.length);
    for (const [bytes, pages] of [
      [1, 1],
      [0x1000, 1],
      [0x1001, 2],
      [0x5000, 5],
    ] as const) {
      const cut = open(X64.subarray(0, X64.length - bytes));
      expect([cut.truncated, cut.pagesCut]).to.deep.equal([true, pages]);
      expect(cut.softErrors.map(({ code }) => code)).to.deep.equal(['truncated']);
      expect(cut.softErrors[0]?.message).to.match(pages === 1 ? /1 page is missing$/ : new RegExp(`${pages} pages are missing$`)); // prettier-ignore
    }
  });

  it('believes what Windows says of it: encrypted, or cut because the page file was too small', () => {
    for (const [bytes, at] of [
      [X64, ATTRIBUTES_AT.x64],
      [X86, ATTRIBUTES_AT.x86],
    ] as const) {
      const withBits = (bits: number): Uint8Array => {
        const changed = bytes.slice();
        new DataView(changed.buffer).setUint32(at, bits, true);
        return changed;
      };
      expect(refusal(withBits(ATTRIBUTES.EncryptedDumpData))[0]).to.equal('encrypted');
      const cut = open(withBits(ATTRIBUTES.InsufficientDumpfileSize | ATTRIBUTES.HiberCrash));
      expect([cut.truncated, cut.softErrors.map(({ code }) => code)]).to.deep.equal([true, ['insufficient-dump-file']]);
      expect(open(withBits(ATTRIBUTES.HiberCrash | ATTRIBUTES.LiveDumpGeneratedDump)).truncated).to.equal(false);
    }
  });
});
