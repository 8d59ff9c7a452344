/** `processes`, `handles`, `objects` and `holders` on a built machine, against its truth, and without names. */

import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildDump } from '../../test-dumps/build-dump.js';
import { CULPRIT_PID, OBJECT_SCENARIOS } from '../../test-dumps/objects/scenarios.js';
import type { ObjectsTruth } from '../../test-dumps/objects/truth.js';
import { runHere, temporaryFolder } from './program.test.helper.js';

interface ProcessRow {
  pid: number;
  image: string;
  handles: number;
}
interface HandlesJson {
  handles: { complete: boolean; found: number; processes: (ProcessRow & { types: { type: string; handles: number }[] })[]; rows: { handle: string; object: string; type: string; access: string; name: string | null }[] }; // prettier-ignore
}

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

describe('command line: processes, handles, objects and holders', function () {
  this.timeout(30_000);
  const folder = temporaryFolder();
  let dump = '';
  let triage = '';
  let truth: ObjectsTruth;

  before(() => {
    dump = folder.path('objects.dmp');
    triage = folder.path('small.dmp');
    const scenario = OBJECT_SCENARIOS.zombies(300);
    delete scenario.modules;
    const [first] = scenario.objects?.processes ?? [];
    const files = {
      type: 'File',
      count: 3,
      names: ['\\Device\\HarddiskVolume3\\Users\\Zebulon Qxz\\casesqxz\\salary #.xlsx'],
    };
    Object.assign(first ?? {}, { user: 'CONTOSOQXZ\\wilhelmqxz', handles: [files] });
    const built = buildDump(scenario);
    built.writeTo(dump);
    buildDump({ ...scenario, kind: 'triage' }).writeTo(triage);
    if (!built.truth.objects) throw new Error('no objects');
    truth = built.truth.objects;
  });

  const json = async <T>(...args: string[]): Promise<T> => {
    const { code, stdout, stderr } = await runHere([...args, '--json']);
    expect({ code, stderr }, args.join(' ')).to.deep.equal({ code: 0, stderr: '' });
    return JSON.parse(stdout) as T;
  };
  const text = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runHere(args);
    expect({ code, stderr }, args.join(' ')).to.deep.equal({ code: 0, stderr: '' });
    return stdout;
  };

  it('lists processes with their handles, and ended ones in groups', async () => {
    const found = await json<{ processes: { live: number; ended: number; rows: ProcessRow[] }; endedProcesses: { image: string; count: number; heldBy: ProcessRow[] }[] }>('processes', dump); // prettier-ignore
    const live = truth.processes.filter(({ exitTime }) => exitTime === 0n);
    expect(
      found.processes.rows.map(({ pid, image, handles }) => [pid, image.slice(0, 14), handles]).sort(),
    ).to.deep.equal(live.map(({ pid, name, handles }) => [pid, name.slice(0, 14), handles?.count]).sort());
    expect(found.processes.ended).to.equal(303);
    expect(found.endedProcesses.map(({ image, count }) => [image, count])).to.deep.equal([
      ['cmd.exe', 300],
      ['conhost.exe', 3],
    ]);
    expect(found.endedProcesses[0]?.heldBy).to.deep.equal([{ pid: CULPRIT_PID, image: 'watchman.exe', handles: 300 }]);
    const shown = await text('processes', dump);
    expect(shown).to.match(/^\d+ processes running; 303 ended ones are still there\n/);
    expect(shown).to.match(/\n *4324 .* watchman\.exe\n/);
    expect(shown).to.include('cmd.exe: 300, started by watchman.exe (pid 4324)');
  });

  it('prints processes as !process 0 0 does', async () => {
    const shown = await text('processes', dump, '--windbg');
    const watchman = truth.processes.find(({ pid }) => pid === CULPRIT_PID);
    expect(shown).to.match(
      /^\*\*\*\* NT ACTIVE PROCESS DUMP \*\*\*\*\nPROCESS [\da-f]{16}\n {4}SessionId: none {2}Cid: 0004 {4}Peb: /,
    );
    expect(shown).to.match(
      new RegExp(
        `PROCESS ${String(watchman?.address.toString(16))}\\n    SessionId: \\d  Cid: 10e4    Peb: [\\da-f]{8,}  ParentCid: [\\da-f]{4}\\n` +
          `    DirBase: [\\da-f]{8,}  ObjectTable: [\\da-f]{16}  HandleCount: ${String(watchman?.handles?.count)}\\.\\n    Image: watchman\\.exe\\n\\n`,
      ),
    );
  });

  it('counts handles first, of a process, of a type, of a target', async () => {
    const all = await json<HandlesJson>('handles', dump);
    expect(all.handles).to.include({ complete: true, found: truth.handles });
    expect(all.handles.processes[0]).to.include({ pid: CULPRIT_PID, image: 'watchman.exe' });
    const one = await json<HandlesJson>('handles', dump, '--pid', '0x10e4', '--type', 'process');
    expect(one.handles.processes.map(({ types }) => types)).to.deep.equal([
      [{ type: 'Process', handles: 300, objects: 300 }],
    ]);
    const named = await json<HandlesJson>('handles', dump, '--image', 'WATCHMAN.EXE', '--target', 'salary');
    expect(named.handles.found).to.equal(3);
    for (const wrong of [
      ['--pid', '99996'],
      ['--image', 'nope.exe'],
      ['--type', 'Nope'],
    ]) {
      expect(await text('handles', dump, ...wrong)).to.match(
        /^No handle was found of such a process, type or target\n/,
      );
    }
    expect(await text('handles', dump, '--pid', '4324', '--type', 'Process')).to.match(
      /300 +Process +cmd\.exe \(ended\)/,
    );
  });

  it('lists handles as !handle does', async () => {
    const { handles } = await json<HandlesJson>('handles', dump, '--pid', '4324', '--list');
    const expected = truth.processes.find(({ pid }) => pid === CULPRIT_PID)?.handles?.first ?? [];
    for (const one of expected) {
      const row = handles.rows.find(({ handle }) => handle === hex(one.handle));
      expect([row?.object, row?.type, row?.access]).to.deep.equal([hex(one.object), one.type, hex(one.access)]);
    }
    const shown = await text('handles', dump, '--pid', '4324', '--list');
    expect(shown).to.match(/^\nPROCESS [\da-f]{16}\n/);
    expect(shown).to.match(/Image: watchman\.exe\n\nHandle table at [\da-f]{16} with \d+ entries in use\n\n/);
    expect(shown).to.match(
      /\n[\da-f]{4}: Object: ([\da-f]{16}) {2}GrantedAccess: [\da-f]{8} Entry: [\da-f]{16}\nObject: \1 {2}Type: \([\da-f]{16}\) Process\n {4}ObjectHeader: [\da-f]{16} \(new version\)\n {8}HandleCount: 1 {2}PointerCount: \d+\n {8}Name: cmd\.exe \(\d+\)\n\n/,
    );
  });

  it('counts objects by type, and names those of one', async () => {
    const { objectTypes } = await json<{ objectTypes: { type: string; objects: number; handles: number }[] }>('objects', dump); // prettier-ignore
    const found = objectTypes.find(({ type }) => type === 'Process');
    const known = truth.types.find(({ name }) => name === 'Process');
    expect([found?.objects, found?.handles]).to.deep.equal([known?.objects, known?.handles]);
    expect(await text('objects', dump, '--type', 'file')).to.include('salary');
    expect(await text('objects', dump, '--type', 'Nothing')).to.include('no objects of a type Nothing');
  });

  it('tells who holds what is under a tag', async () => {
    const shown = await text('holders', dump, 'Proc');
    expect(shown).to.include('watchman.exe (pid 4324): 300 handles to 300 objects');
    expect(await text('holders', dump, 'Leak')).to.include('No type of objects has the tag Leak');
  });

  it('writes tables', async () => {
    for (const args of [
      ['processes'],
      ['handles'],
      ['handles', '--pid', '4324', '--list'],
      ['objects'],
      ['holders', 'Proc'],
    ]) {
      const [name = '', ...more] = args;
      const shown = await text(name, dump, ...more, '--csv');
      const lines = shown.replace('\ufeff', '').trimEnd().split('\r\n');
      expect(lines.length, args.join(' ')).to.be.greaterThan(1);
      expect(lines.join('\n'), args.join(' ')).to.match(/watchman\.exe|Process/);
    }
    expect((await runHere(['processes', dump, '--csv', '--json'])).code).to.equal(64);
    expect((await runHere(['handles', dump, '--pid', 'x'])).code).to.equal(64);
  });

  it('shows of a small dump what it has, and says what it lacks', async () => {
    expect(await text('handles', triage)).to.match(/holds no handle table/);
    expect(await text('objects', triage)).to.match(/holds no object type/);
    expect((await runHere(['processes', triage])).code).to.equal(0);
    expect((await runHere(['holders', triage, 'Proc'])).code).to.equal(0);
    const real = fileURLToPath(new URL('../../../../shared/corpus/dumps/triage_x64.dmp', import.meta.url));
    if (existsSync(real)) {
      expect(await text('processes', real)).to.match(
        /^A small memory dump .* holds no list of processes\. This one was current:\n/,
      );
    }
  });

  it('names nobody with --redact', async () => {
    const forms = [[], ['--json'], ['--csv']];
    const commands = [
      ['processes'], ['processes', '--windbg'], ['handles'], ['handles', '--pid', '4324'], ['handles', '--list'],
      ['objects', '--type', 'File'], ['objects', '--type', 'Token'], ['holders', 'File'], ['holders', 'Toke'],
    ]; // prettier-ignore
    expect(await text('objects', dump, '--type', 'File')).to.match(/qxz/i);
    for (const [name = '', ...more] of commands) {
      for (const form of forms) {
        const tagged = name === 'holders' ? [name, dump, ...more] : [name, dump, ...more];
        const shown = await text(...tagged, ...form, '--redact');
        expect(shown, [name, ...more, ...form].join(' ')).not.to.match(/qxz|salary/i);
      }
    }
    const analysis = await text('analyze', dump, '--tag', 'File', '--json', '--redact');
    expect(analysis).not.to.match(/qxz|salary/i);
  });
});
