import { expect } from 'chai';
import { Failure } from '../../../parsers/bytes/failure.js';
import { describeSignature } from './module-info.js';
import { MB, modulesOf, oneTag } from '../../leak/scenario.test.helper.js';
import { findLeak } from '../../leak/find-leak.js';

describe('who made a driver', () => {
  it("is not told by Microsoft's signature for others, nor by any signature for sure", () => {
    const signer = {
      name: 'Microsoft Windows Hardware Compatibility Publisher',
      organization: 'Microsoft Corporation',
      issuer: 'X',
    };
    expect(describeSignature(signer).note).to.contain("a third party's");
    expect(describeSignature({ ...signer, name: 'Microsoft Windows' }).note).to.match(
      /not verified; it alone does not say/,
    );
  });

  it('is not known from a file without a signature, or with one that cannot be read', () => {
    expect(describeSignature(null)).to.deep.include({ embedded: false, signer: null });
    expect(describeSignature(null).note).to.contain('catalog');
    expect(describeSignature(new Failure('corrupt', 'broken'))).to.deep.include({
      embedded: true,
      signer: null,
      note: 'broken',
    });
  });

  it('stands in the next steps, with a line to search for', () => {
    const [kernel, vendor] = modulesOf('ntoskrnl.exe', 'vendor.sys');
    const version = { fileVersion: '1.2.3.4', productName: null, companyName: 'Acme Devices', fileDescription: null };
    const { verdict } = findLeak(oneTag('Vend', 4000 * MB, { modules: [kernel!, { ...vendor!, version }] }));
    expect(verdict.nextSteps[0]).to.contain('its vendor (Acme Devices by its version resource)');
    expect(verdict.nextSteps[1]).to.equal(
      'Search for known problems: Acme Devices vendor.sys 1.2.3.4 pool leak tag "Vend"',
    );
  });
});
