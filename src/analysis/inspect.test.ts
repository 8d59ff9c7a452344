/** `dumpleak info`: how a dump came about, what it holds, what it lacks. */

import { expect } from 'chai';
import { buildDump, type Scenario } from '../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../test-dumps/scenarios.js';
import { renderPart } from '../views/print/part-json.js';
import { renderInfo } from '../views/info.js';
import { openBuilt } from './whole-dumps/truth.test.helper.js';
import { inspect, type Inspection } from './inspect.js';

const look = (change: Scenario = {}): Inspection =>
  inspect(openBuilt(buildDump({ ...SCENARIOS.modernLeak(), ...change })));
const codes = (found: Inspection): string[] => found.origin.map((note) => note.code);

describe('inspect', function () {
  this.timeout(20_000);

  it('an ordinary crash has no remarks, unless the header sets attributes', () => {
    expect(look().origin).to.deep.equal([]);
    expect(look().attributes).to.equal(null);
    expect(look({ header: { attributes: 0 } }).attributes).to.deep.equal([]);
  });

  it('tells live dumps: of the whole system, of a part of Windows that reported, of LiveKd, of memory imagers', () => {
    const live = look({ header: { attributes: 0x10, bugCheckCode: 0x161 } });
    expect([codes(live), live.dump.live]).to.deep.equal([['live'], true]);
    const byCode = look({ header: { bugCheckCode: 0x161 } });
    expect([codes(byCode), byCode.dump.live]).to.deep.equal([['live'], true]);
    const report = look({ header: { attributes: 0x10, bugCheckCode: 0x1a8 } });
    expect(codes(report)).to.deep.equal(['live-report']);
    expect(report.origin[0]?.message).to.match(/0x1A8 VIDEO_DXGKRNL_BLACK_SCREEN_LIVEDUMP/);
    const liveKd = look({ header: { comment: 'LiveKD live system view' } });
    expect(codes(liveKd)).to.deep.equal(['livekd', 'comment']);
    expect(liveKd.origin[0]?.message).to.match(/mirror mode/);
    const imager = look({ header: { bugCheckCode: 0x4d415454 } });
    expect(codes(imager)).to.deep.equal(['imager']);
    expect([liveKd.dump.live, imager.dump.live, look().dump.live]).to.deep.equal([true, true, false]);
  });

  it('tells offline, filtered, early and decrypted dumps, and those that Windows could not finish', () => {
    const found = look({ header: { attributes: 0x2e9, writerStatus: 0xc000007f } });
    expect(codes(found)).to.deep.equal([
      'hibernation', 'kernel-triage', 'offline', 'filtered', 'early-boot', 'decrypted', 'writer-status',
    ]); // prettier-ignore
    expect(found.attributes).to.deep.equal([
      'HiberCrash', 'KernelGeneratedTriageDump', 'DumpIsGeneratedOffline', 'FilterDumpFile', 'EarlyBootCrash', 'DecryptedDump',
    ]); // prettier-ignore
    const cut = look({ header: { attributes: 4 } });
    expect(cut.dump.truncated).to.equal(true);
    expect(cut.warnings.map((w) => w.code)).to.include('insufficient-dump-file');
  });

  it('a comment from the dump is made safe for a terminal', () => {
    expect(look({ header: { comment: 'a\u001b[31mb' } }).origin[0]?.message).to.equal('Its comment: "a?[31mb"');
  });

  it('explains the bug check', () => {
    const found = look({ header: { bugCheckCode: 0xd1, bugCheckParameters: [0x18n, 2n, 1n, 0xfffff80012345678n] } });
    expect(found.bugCheckMeaning?.parameters.map((p) => p.meaning)).to.include.members([
      'IRQL: DISPATCH',
      'access: write',
    ]);
    const text = renderInfo(found);
    expect(text).to.match(/Parameter 2 +0x2 +IRQL: DISPATCH\n/);
  });

  it('says what a kernel dump holds and lacks, and what can be said from it', () => {
    const found = look();
    expect(found.contents.present.join('; ')).to.match(
      /loaded modules, \d+ of their \d+ pages.*all pool tag tables: 8 tables/,
    );
    expect(found.contents.missing.join('; ')).to.match(/pages of modules.*memory of processes/);
    expect(found.contents.outlook.map((n) => n.code)).to.deep.equal(['tags', 'limits', 'driver', 'growth']);
    const full = look({ kind: 'full' });
    expect(full.contents.missing.join('; ')).not.to.match(/memory of processes/);
  });

  it('says what a triage dump cannot tell, and takes no offence at its size', () => {
    // RequiredDumpSpace of 4 GB: large triage dumps say what a whole dump would have taken.
    const found = look({ kind: 'triage', header: { patches: { 0xfa0: '00000000 01000000' } } });
    expect(found.dump.truncated).to.equal(false);
    expect(found.warnings).to.deep.equal([]);
    expect(found.contents.missing).to.include('pool tag tables');
    expect(found.contents.outlook[0]?.message).to.match(/this kind of dump holds no pool tables/);
  });

  it('a triage dump that is cut is truncated', () => {
    const whole = buildDump({ ...SCENARIOS.modernLeak(), kind: 'triage' });
    const found = look({ kind: 'triage', truncateTo: whole.byteLength - 100 });
    expect(found.dump.truncated).to.equal(true);
    expect(found.warnings.map((w) => w.code)).to.include('triage-incomplete');
    expect(found.dump.bugCheck).not.to.equal(null);
  });

  it('partial tables and unknown kernels lower what is promised', () => {
    const found = look({ pool: { ...SCENARIOS.modernLeak().pool, wildProcessors: [2] } });
    expect(found.contents.outlook[0]?.message).to.match(/not how much they hold in all/);
    const none = look({ header: { directoryTableBase: 'wrong' }, paging: { selfMap: false }, processes: [] });
    expect(none.contents.outlook[0]?.message).to.match(/cannot say which tag holds pool/);
    expect(none.contents.missing).to.include.members(['the module list', 'pool tag tables']);
  });

  it('lists secondary data, in the text and as JSON', () => {
    const secondaryData = [
      { guid: 'e83b40d2-b0a0-4842-abea-71c9e3463dd1', hex: '4d434647'.repeat(500) },
      { guid: '12345678-9abc-def0-1122-334455667788', hex: 'ff' },
    ];
    const found = look({ kind: 'bitmap-kernel', secondaryData });
    const wanted = [
      { guid: 'e83b40d2-b0a0-4842-abea-71c9e3463dd1', bytes: 2000, name: 'ACPI tables' },
      { guid: '12345678-9abc-def0-1122-334455667788', bytes: 1, name: null },
    ];
    expect(found.secondaryData).to.deep.equal(wanted);
    expect((JSON.parse(renderPart(found)) as Inspection).secondaryData).to.deep.equal(wanted);
    expect(renderInfo(found)).to.match(/e83b40d2-b0a0-4842-abea-71c9e3463dd1 {2}2,000 bytes {2}ACPI tables\n/);
    expect(look().secondaryData).to.equal(null);
  });
});
