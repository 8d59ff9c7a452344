import { expect } from 'chai';
import { failed } from '../../../parsers/bytes/failure.js';
import { readFixtures } from '../../../test-dumps/drivers/fixtures.js';
import { withMoreCode } from '../../../test-dumps/drivers/more-code.js';
import { peFile } from '../../../test-dumps/drivers/pe-file.js';
import { driverFromFile } from '../../kernel/modules/driver-file.js';
import { hiddenCode } from './hidden-code.js';

function told(file: Uint8Array): string {
  const read = driverFromFile(file, 'test.sys');
  if (failed(read)) throw new Error(read.message);
  const hidden = hiddenCode(read.module);
  return hidden === null ? 'nothing' : `${hidden.code}: ${hidden.why}`;
}

/** Bytes without a pattern. */
function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let x = 12345;
  for (let i = 0; i < length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    bytes[i] = x >>> 24;
  }
  return bytes;
}

describe('code that is hidden', () => {
  const code = { name: '.text', bytes: new Uint8Array(64).fill(0x90), executable: true };

  it('is that of other processors', () => {
    for (const [machine, name] of [
      [0x1c4, 'ARM (32-bit)'],
      [0x200, 'Itanium'],
      [0x1234, 'machine type 0x1234'],
    ] as const) {
      const file = peFile({ sections: [code] });
      new DataView(file.buffer).setUint16(0x84, machine, true);
      expect(told(file)).to.equal(`processor-not-supported: made for ${name}, a processor whose code is not followed`);
    }
  });

  it('is packed by its sections or its bytes', () => {
    const packed = peFile({ sections: [code, { ...code, name: '.vmp0' }] });
    expect(told(packed)).to.match(/^code-packed: packed or virtualised \(section \.vmp0, as of VMProtect\)/);
    expect(told(peFile({ sections: [{ ...code, bytes: noise(0x8000) }] }))).to.match(
      /^code-packed: .*\.text has 8\.0 bits/,
    );
  });

  it('is not that of drivers as compilers make them', () => {
    for (const { driver, file } of readFixtures()) expect(told(file), driver.name).to.equal('nothing');
    const [first] = readFixtures();
    const read = first!.file;
    const text = Buffer.concat(Array.from({ length: 12 }, () => read.subarray(0x400)));
    expect(told(withMoreCode(read, text))).to.equal('nothing');
  });
});
