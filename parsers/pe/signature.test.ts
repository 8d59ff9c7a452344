import { expect } from 'chai';
import fc from 'fast-check';
import { Failure } from '../bytes/failure.js';
import { DIRECTORY, type ImageHeaders } from './image.js';
import { readSigner } from './signature.js';

/** SignedData with one self-signed certificate and one signer, made with OpenSSL for these tests alone. */
const ACME =
  'MIIC3gYJKoZIhvcNAQcCoIICzzCCAssCAQExDTALBglghkgBZQMEAgEwEwYJKoZIhvcNAQcBoAYEBGhpDQqgggHbMIIB1zCCAX2gAwIBAgIUbD' +
  'y7pvPRGH+1fPTqoi7ZQ8VdDdUwCgYIKoZIzj0EAwIwQDELMAkGA1UEBhMCVVMxFTATBgNVBAoMDFRlc3QgQ29tcGFueTEaMBgGA1UEAwwRQWNt' +
  'ZSBEZXZpY2VzIEluYy4wIBcNMjYxMTI5MTAyMDU0WhgPMjEyNjExMDUxMDIwNTRaMEAxCzAJBgNVBAYTAlVTMRUwEwYDVQQKDAxUZXN0IENvbX' +
  'BhbnkxGjAYBgNVBAMMEUFjbWUgRGV2aWNlcyBJbmMuMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEl8EmyZy6UJL6xcX4kavr9UHYe7+oxE1' +
  '/89yNKiUV5ufLVNvMFTbWmhw79MwKpV9AHUvgvN3OqvqpPNOUAB1IKNTMFEwHQYDVR0OBBYEFEiflQQIgWtHlp7IxoOEnLc35kQ1MB8GA1UdIw' +
  'QYMBaAFEiflQQIgWtHlp7IxoOEnLc35kQ1MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgMjr2yb4LIukcLz9RzeA/GkRvmYCs' +
  'p9JucVkGWFLDNukCIQCfTHAjV84wxBDxvgmPXUndQbLJ4G4V712bhqOW7+xqIDGBwjCBvwIBATBYMEAxCzAJBgNVBAYTAlVTMRUwEwYDVQQKDA' +
  'xUZXN0IENvbXBhbnkxGjAYBgNVBAMMEUFjbWUgRGV2aWNlcyBJbmMuAhRsPLum89EYf7V89OqiLtlDxV0N1TALBglghkgBZQMEAgEwCgYIKoZI' +
  'zj0EAwIERzBFAiEAnC63Ra5spsKwHNnjEVMm8zXJxZSKzoVXCeKPI1eY5zQCIGvSICO8GGIazKH9g+clCtqttKxj/4WZsDfAb1poTPpn';
const PUBLISHER =
  'MIIDQQYJKoZIhvcNAQcCoIIDMjCCAy4CAQExDTALBglghkgBZQMEAgEwEwYJKoZIhvcNAQcBoAYEBGhpDQqgggIdMIICGTCCAb+gAwIBAgIUcv' +
  'ZzNWWQZzlTp0k1wSxBE0GJcekwCgYIKoZIzj0EAwIwYTELMAkGA1UEBhMCVVMxFTATBgNVBAoMDFRlc3QgQ29tcGFueTE7MDkGA1UEAwwyTWlj' +
  'cm9zb2Z0IFdpbmRvd3MgSGFyZHdhcmUgQ29tcGF0aWJpbGl0eSBQdWJsaXNoZXIwIBcNMjYxMTI5MTAyMDU0WhgPMjEyNjExMDUxMDIwNTRaMG' +
  'ExCzAJBgNVBAYTAlVTMRUwEwYDVQQKDAxUZXN0IENvbXBhbnkxOzA5BgNVBAMMMk1pY3Jvc29mdCBXaW5kb3dzIEhhcmR3YXJlIENvbXBhdGli' +
  'aWxpdHkgUHVibGlzaGVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeA57+p+w7IMYYPSuuaavJXtipCrEhRoYFceM5PNRarli7J5zuIhYlb' +
  'qprn5ZvgfS5+dOUHYMGonFw+YdR/jRPqNTMFEwHQYDVR0OBBYEFNa5lHhc1DPx6ISW5sB0lrHiXONtMB8GA1UdIwQYMBaAFNa5lHhc1DPx6ISW' +
  '5sB0lrHiXONtMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAKHwuSlIJ974HEIqnc7ISSw5vdaYHs46l6DFon3mZtUdAiAp7Z' +
  '2fRBQiXIHbwpuUjC/MpaDrfUQS3XWu6fVeiH3vJTGB4zCB4AIBATB5MGExCzAJBgNVBAYTAlVTMRUwEwYDVQQKDAxUZXN0IENvbXBhbnkxOzA5' +
  'BgNVBAMMMk1pY3Jvc29mdCBXaW5kb3dzIEhhcmR3YXJlIENvbXBhdGliaWxpdHkgUHVibGlzaGVyAhRy9nM1ZZBnOVOnSTXBLEETQYlx6TALBg' +
  'lghkgBZQMEAgEwCgYIKoZIzj0EAwIERzBFAiAYleGcAGaQkYYJMCDNnummI7MGgIC6cU/E7M2mO34/nwIhAJ73bqwMLBcMuZyrw6aMRcHi9Bo6' +
  'h2+9JKi5CuQ2uzH8';

const AT = 0x200;

/** A file with a WIN_CERTIFICATE at its end. */
function fileWith(signature: Uint8Array, change: (file: Buffer) => void = () => undefined) {
  const file = Buffer.alloc(AT + 8 + signature.length);
  file.writeUInt32LE(8 + signature.length, AT);
  file.writeUInt16LE(0x200, AT + 4);
  file.writeUInt16LE(2, AT + 6);
  file.set(signature, AT + 8);
  change(file);
  const directories = Array.from({ length: 16 }, (_, i) =>
    i === DIRECTORY.security ? { rva: AT, size: file.length - AT } : { rva: 0, size: 0 },
  );
  return readSigner(file, { directories } as unknown as ImageHeaders);
}

const acme = Buffer.from(ACME, 'base64');

describe('readSigner', () => {
  it("is the name in the signer's certificate", () => {
    expect(fileWith(acme)).to.deep.equal({
      name: 'Acme Devices Inc.',
      organization: 'Test Company',
      issuer: 'Acme Devices Inc.',
    });
    expect(fileWith(Buffer.from(PUBLISHER, 'base64'))).to.deep.include({
      name: 'Microsoft Windows Hardware Compatibility Publisher',
    });
  });

  it('is null without a signature', () => {
    const none = { directories: Array.from({ length: 16 }, () => ({ rva: 0, size: 0 })) } as unknown as ImageHeaders;
    expect(readSigner(Buffer.alloc(64), none)).to.equal(null);
    expect(readSigner(Buffer.alloc(64), { directories: [] } as unknown as ImageHeaders)).to.equal(null);
  });

  it('fails with what is wrong', () => {
    const message = (found: ReturnType<typeof fileWith>): string => (found instanceof Failure ? found.message : 'read');
    expect(message(fileWith(acme, (file) => file.writeUInt32LE(0xffffffff, AT)))).to.match(/no true length/);
    expect(message(fileWith(acme, (file) => file.writeUInt16LE(9, AT + 6)))).to.match(/unknown kind/);
    expect(message(fileWith(acme.subarray(0, 200)))).to.match(/embedded signature/);
    expect(message(fileWith(Buffer.from([0x30, 0])))).to.match(/names no signer/);
    expect(message(fileWith(Buffer.alloc(100_000, Buffer.from([0x30, 0x80]))))).to.match(/embedded signature/);
  });

  it('ends without throwing on damaged signatures', () => {
    fc.assert(
      fc.property(fc.nat(acme.length - 1), fc.nat(255), fc.nat(acme.length), (at, value, length) => {
        const damaged = Buffer.from(acme.subarray(0, length));
        if (at < length) damaged[at] = value;
        const found = fileWith(damaged);
        expect(found instanceof Failure || found === null || 'name' in found).to.equal(true);
      }),
      { numRuns: 300 },
    );
  });
});
