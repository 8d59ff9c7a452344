import { expect } from 'chai';
import fc from 'fast-check';
import { MemorySource } from '../bytes/source.js';
import { HEADER32_SIZE, parseHeader32 } from './header32.js';
import { openDump } from './open-dump.js';

/** A header whose every byte is the filler, but for what is put into it. */
function header(fields: Record<number, number> = {}): Uint8Array {
  const bytes = new Uint8Array(HEADER32_SIZE);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += 4) view.setUint32(at, 0x45474150, true);
  bytes.set(Buffer.from('PAGEDUMP', 'latin1'));
  for (const [at, value] of Object.entries(fields)) view.setUint32(Number(at), value, true);
  return bytes;
}

describe('DUMP_HEADER32', () => {
  it('has its fields where the reference has them', () => {
    const found = parseHeader32(
      header({
        ...{ 0x08: 0xf, 0x0c: 2600, 0x10: 0x2f033, 0x14: 0x8055c458, 0x18: 0x8055d720, 0x1c: 0x80560bd8, 0x20: 0x14c },
        ...{ 0x24: 2, 0x28: 0x8e, 0x2c: 0xc0000005, 0x30: 0xf7a01234, 0x34: 0xf8ab1234, 0x38: 0 },
        ...{ 0x5c: 1, 0x60: 0x8054d2e0, 0x64: 2, 0x68: 0x1ff6c, 0x6c: 1, 0x70: 0x9e, 0x74: 0x100, 0x78: 0x1fece },
        ...{ 0x7d0: 0xc0000005, 0x7dc: 0xf7a01234, 0x8a0: 4, 0x8a4: 77, 0xf88: 2, 0xf8c: 3, 0xf90: 4, 0xf94: 3, 0xf98: 0x110 },
        ...{ 0xf9c: 0, 0xfa0: 0x1000, 0xfa4: 1, 0xfb8: 0x2000, 0xfbc: 2, 0xfc0: 0x3000, 0xfc4: 3 },
      }),
    ); // prettier-ignore
    expect(found).to.deep.include({
      ...{ signature: 'PAGEDUMP', headerSize: 0x1000, majorVersion: 0xf, minorVersion: 2600, directoryTableBase: 0x2f020 },
      ...{ pfnDataBase: 0x8055c458n, psLoadedModuleList: 0x8055d720n, psActiveProcessHead: 0x80560bd8n },
      ...{ machineImageType: 0x14c, numberProcessors: 2, bugCheckCode: 0x8e, paeEnabled: true },
      ...{ kdDebuggerDataBlock: 0x8054d2e0n, attributes: 4, bootId: 77, dumpType: 2, miniDumpFields: 3 },
      ...{ secondaryDataState: 4, productType: 3, suiteMask: 0x110, writerStatus: 0 },
      ...{ requiredDumpSpace: 0x1_0000_1000n, systemUpTime: 0x2_0000_2000n, systemTime: 0x3_0000_3000n },
    }); // prettier-ignore
    expect(found.bugCheckParameters).to.deep.equal([0xc0000005n, 0xf7a01234n, 0xf8ab1234n, 0n]);
    expect(found.exception).to.deep.equal({ code: 0xc0000005, address: 0xf7a01234n });
    expect(found.physicalMemory).to.deep.equal({
      numberOfPages: 0x1ff6c,
      runs: [
        { basePage: 1, pageCount: 0x9e },
        { basePage: 0x100, pageCount: 0x1fece },
      ],
    });
  });

  it('knows unset fields by their filler', () => {
    const { signature, headerSize, bugCheckParameters, ...rest } = parseHeader32(header());
    expect([signature, headerSize, bugCheckParameters.length]).to.deep.equal(['PAGEDUMP', 0x1000, 4]);
    for (const [name, value] of Object.entries(rest)) expect(value, name).to.equal(null);
  });

  it('takes texts, and PaeEnabled 0 for what it says', () => {
    const bytes = header({ 0x5c: 0 });
    bytes.set(Buffer.from('hello\0', 'latin1'), 0x3c);
    bytes.set(Buffer.from('a comment\0', 'latin1'), 0x820);
    const found = parseHeader32(bytes);
    expect([found.versionUser, found.comment, found.paeEnabled, found.kdSecondaryVersion]).to.deep.equal([
      ...['hello', 'a comment', false, 0],
    ]);
  });

  it('has at most 86 runs, none past what 32-bit systems can have', () => {
    const runs = (fields: Record<number, number>): unknown =>
      parseHeader32(header({ 0x68: 10, ...fields })).physicalMemory;
    expect(runs({ 0x64: 86 })).to.equal(null);
    expect(runs({ 0x64: 87 })).to.equal(null);
    expect(runs({ 0x64: 1, 0x6c: 0xffffffff, 0x70: 2 })).to.equal(null);
    expect(runs({ 0x64: 1, 0x6c: 5, 0x70: 2 })).to.deep.equal({
      numberOfPages: 10,
      runs: [{ basePage: 5, pageCount: 2 }],
    });
  });

  it('never throws, and no dump with any of it throws anything but what a user can read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: HEADER32_SIZE, maxLength: HEADER32_SIZE }), (bytes) => {
        expect(parseHeader32(bytes).headerSize).to.equal(0x1000);
      }),
      { numRuns: 50 },
    );
    const word = fc.oneof(fc.nat({ max: 0xffffffff }), fc.constantFrom(0, 1, 4, 0x1000, 0x7fffffff, 0xffffffff));
    const places = fc.dictionary(
      fc.constantFrom('16', '32', '92', '96', '100', '104', '108', '112', '3976', '4096', '4100', '4112', '4116', '4144', '4184', '4192', '4196'),
      word,
      { maxKeys: 10 },
    ); // prettier-ignore
    fc.assert(
      fc.property(places, fc.uint8Array({ maxLength: 0x3000 }), fc.constantFrom('', 'SDMPDUMP', 'FDMPDUMP'), (fields, body, mark) => {
        const bytes = new Uint8Array(HEADER32_SIZE + 0x100 + body.length);
        bytes.set(header());
        bytes.set(body, HEADER32_SIZE);
        bytes.set(Buffer.from(mark, 'latin1'), HEADER32_SIZE);
        const view = new DataView(bytes.buffer);
        for (const [at, value] of Object.entries(fields)) view.setUint32(Number(at), value, true);
        try {
          openDump(new MemorySource(bytes));
        } catch (error) {
          expect(error).to.have.property('name', 'InputError');
        }
      }),
      { numRuns: 300 },
    ); // prettier-ignore
  });
});
