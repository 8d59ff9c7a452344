/** `!token` on built machines, and what of a token is disproved. */

import { expect } from 'chai';
import { virtual } from '../../../parsers/addresses.js';
import { FlatMemory } from '../../../parsers/pe/flat-memory.test.helper.js';
import { OBJECT_SCENARIOS } from '../../../test-dumps/objects/scenarios.js';
import { listAt } from '../../kernel/objects/names/token-details.js';
import { sessionOf } from '../session.test.helper.js';

const MACHINES = {
  '7601': {},
  '10.0.19041.804': {},
  '10.0.26100.1': {},
  '5.1.2600.5512': { architecture: 'x86', memory: { bytes: 2 ** 31 } },
} as const;

describe('!token', () => {
  for (const [kernel, more] of Object.entries(MACHINES)) {
    for (const seed of [5, 6]) {
      it(`of a process on ${kernel}, seed ${seed}`, async () => {
        const kd = sessionOf({ ...OBJECT_SCENARIOS.zombies(5), ...more, kernel, seed });
        const isOld = kernel === '5.1.2600.5512';
        const process = /^PROCESS ([0-9a-f]+)/m.exec(await kd.print('!process 0 1 explorer.exe'))![1]!;
        const address = /Token +([0-9a-f]+)/.exec(await kd.print(`!process ${process} 1`))![1]!;
        const text = await kd.print(`!token ${address}`);
        const privileges = [
          ' 02 0x000000002 SeCreateTokenPrivilege            Attributes - ',
          ' 23 0x000000017 SeChangeNotifyPrivilege           Attributes - Enabled Default ',
          ' 35 0x000000023 SeCreateSymbolicLinkPrivilege     Attributes - ',
        ];
        const lines = text.split('\n');
        expect(lines.slice(0, 2)).to.deep.equal([`_TOKEN ${address}`, 'TS Session ID: 0x1']);
        expect(lines[2]).to.match(/^User: S-1-5-21-1004336348-1177238915-682003330-\d+$/);
        expect(lines.slice(3)).to.deep.equal([
          isOld ? 'Groups: ' : 'User Groups: ',
          ' 00 S-1-1-0',
          '    Attributes - Mandatory Default Enabled ',
          ' 01 S-1-5-11',
          '    Attributes - Mandatory Default Enabled ',
          'Primary Group: S-1-1-0',
          'Privs: ',
          ...(isOld ? [] : privileges),
          ...lines.filter((line) => line.startsWith('Authentication ID:         (0,')),
          'Impersonation Level:       Anonymous',
          'TokenType:                 Primary',
          'Source: User32             TokenFlags: 0x2000 ( Token in use )',
          ...lines.filter((line) => /^Token ID: [0-9a-f]+ +ParentToken ID: 0$/.test(line)),
          'Modified ID:               (0, 477a)',
          `RestrictedSidCount: 0      RestrictedSids: ${'0'.repeat(address.length)}`,
          '',
        ]);
        expect(lines).to.have.length(isOld ? 18 : 21);
        expect(await kd.print(`!token ${process}`)).to.equal(text);
        expect(await kd.print(`!token -n ${process}`)).to.equal(text);
      });
    }
  }

  it('says of what is none that it is none', async () => {
    const kd = sessionOf(OBJECT_SCENARIOS.zombies(5));
    expect(await kd.print('!token')).to.match(/^Which processor crashed is not known: name one/);
    expect(await kd.print('!token 1 2')).to.match(/^!token wants the address/);
    expect(await kd.print('!token 1000')).to.equal('0000000000001000 is not a token\n');
    const thread = /THREAD ([0-9a-f]+)/.exec(await kd.print('!process 0 2'))![1]!;
    expect(await kd.print(`!token ${thread}`)).to.equal(`${thread} is not a token\n`);
  });

  it('privileges of systems before Vista, a list; none where one of it is no LUID of a privilege', () => {
    const memory = new FlatMemory(1, [], 4, virtual(0x80000000n));
    const at = virtual(0x80000010n);
    memory.words(0x10, 0x17, 0, 3, 8, 0, 0);
    expect(listAt(memory, at, 2)).to.deep.equal([
      { luid: 0x17, enabled: true, byDefault: true },
      { luid: 8, enabled: false, byDefault: false },
    ]);
    expect(listAt(memory, null, 0)).to.deep.equal([]);
    expect(listAt(memory, null, 1)).to.equal(null);
    expect(listAt(memory, at, 65)).to.equal(null);
    for (const words of [
      [1, 0],
      [64, 0],
      [8, 1],
    ]) {
      memory.words(0x10, ...words);
      expect(listAt(memory, at, 1), words.join()).to.equal(null);
    }
  });
});
