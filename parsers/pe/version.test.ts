import { expect } from 'chai';
import fc from 'fast-check';
import { parseVersionInfo } from './version.js';

/** A block as a resource compiler writes it: text values count in characters. */
function block(key: string, value: Buffer, isText: boolean, children: readonly Buffer[] = []): Buffer {
  const pad = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
  const head = pad(Buffer.concat([Buffer.alloc(6), Buffer.from(`${key}\0`, 'utf16le')]));
  const body = children.reduce((all, child) => Buffer.concat([pad(all), child]), Buffer.concat([head, value]));
  body.writeUInt16LE(body.length, 0);
  body.writeUInt16LE(isText ? value.length / 2 : value.length, 2);
  body.writeUInt16LE(isText ? 1 : 0, 4);
  return body;
}

const text = (key: string, value: string): Buffer => block(key, Buffer.from(`${value}\0`, 'utf16le'), true);
const none = Buffer.alloc(0);

function info(tables: Record<string, Record<string, string>>): Buffer {
  const fixed = Buffer.alloc(0x34);
  fixed.writeUInt32LE(0xfeef04bd, 0);
  fixed.writeUInt32LE(0x00040001, 8);
  fixed.writeUInt32LE(0x00020003, 12);
  const written = Object.entries(tables).map(([name, strings]) =>
    block(
      name,
      none,
      true,
      Object.entries(strings).map(([key, value]) => text(key, value)),
    ),
  );
  return block('VS_VERSION_INFO', fixed, false, [block('StringFileInfo', none, true, written)]);
}

describe('version resources', () => {
  it('give the English strings, wherever they stand, and the binary version', () => {
    const version = parseVersionInfo(
      info({
        '040704B0': { CompanyName: 'Firma GmbH', FileDescription: 'Treiber für Geräte', FileVersion: '4,1' },
        '040904B0': { CompanyName: 'Firm Inc.', FileDescription: 'Device driver', OriginalFilename: 'acme.sys' },
      }),
    );
    expect(version).to.deep.equal({
      fileVersion: '4.1.2.3',
      productName: null,
      companyName: 'Firm Inc.',
      fileDescription: 'Device driver',
      productVersion: null,
      originalFilename: 'acme.sys',
      language: '040904b0',
    });
  });

  it('give other languages where English has none, or lacks a string', () => {
    const german = { CompanyName: 'Firma GmbH', ProductName: 'Gerät' };
    expect(parseVersionInfo(info({ '040704B0': german }))).to.deep.include({
      companyName: 'Firma GmbH',
      language: '040704b0',
    });
    const mixed = parseVersionInfo(info({ '041104B0': { ProductName: '装置' }, '040904E4': { CompanyName: 'Firm' } }));
    expect(mixed).to.deep.include({ companyName: 'Firm', productName: '装置', language: '040904e4' });
    expect(parseVersionInfo(info({ '000004B0': german, '040704B0': { CompanyName: 'X' } }))).to.deep.include({
      companyName: 'Firma GmbH',
    });
  });

  it('end on any bytes', () => {
    const sound = info({ '040904B0': { CompanyName: 'Firm Inc.' } });
    fc.assert(
      fc.property(fc.nat(sound.length - 1), fc.nat(255), fc.uint8Array({ maxLength: 64 }), (at, value, junk) => {
        const damaged = Buffer.from(sound);
        damaged[at] = value;
        expect(parseVersionInfo(damaged)).to.have.property('companyName');
        expect(parseVersionInfo(junk)).to.have.property('companyName');
      }),
    );
  });
});
