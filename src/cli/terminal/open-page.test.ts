import { expect } from 'chai';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openerOf } from './open-page.js';
import { program, runHere, temporaryFolder } from '../program.test.helper.js';
import { fileURLToPath } from 'node:url';

const SAMPLE = fileURLToPath(new URL('../../../../test-dumps/samples/notmyfault.dmp.gz', import.meta.url));

describe('command line: --open', () => {
  const folder = temporaryFolder();

  it('starts what opens files on the platform, with the path as one word', () => {
    expect(openerOf('win32', 'C:\\a & b.html')).to.deep.equal(['explorer.exe', 'C:\\a & b.html']);
    expect(openerOf('darwin', '/a b')).to.deep.equal(['open', '/a b']);
    expect(openerOf('linux', '/a b')).to.deep.equal(['xdg-open', '/a b']);
  });

  it('wants a page', async () => {
    expect(await runHere(['analyze', SAMPLE, '--open'])).to.include({ code: 64 });
    expect(await runHere(['trend', 'x', '--open'])).to.include({ code: 64 });
  });

  it('shows the page that was written, or says that it cannot', async function () {
    if (process.platform !== 'linux') return this.skip();
    const page = folder.path('a b.html');
    const bin = folder.path('xdg-open');
    const nothing = await program(['analyze', SAMPLE, '-q', '--brief', '--html', page, '--open'], { PATH: folder.path('none') });
    expect(nothing.code).to.equal(0);
    expect(nothing.stderr).to.match(/a b\.html could not be shown: /);
    writeFileSync(bin, `#!/bin/sh\nprintf '%s' "$1" > '${folder.path('shown')}'\n`);
    chmodSync(bin, 0o755);
    const shown = await program(['analyze', SAMPLE, '-q', '--brief', '--html', page, '--open'], { PATH: folder.path('.') });
    expect(shown).to.include({ code: 0, stderr: '' });
    for (let i = 0; i < 100 && !existsSync(folder.path('shown')); i++) await sleep(50);
    await sleep(50);
    expect(readFileSync(folder.path('shown'), 'utf8')).to.equal(page);
  });
}); // prettier-ignore
