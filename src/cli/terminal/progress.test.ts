import { expect } from 'chai';
import { Progress } from './progress.js';

function recorded(options: { isTTY?: boolean; enabled?: boolean; columns?: number } = {}) {
  const clock = { time: 1000 };
  let text = '';
  const stream = {
    isTTY: options.isTTY ?? true,
    columns: options.columns ?? 80,
    write: (part: string): boolean => {
      text += part;
      return true;
    },
  };
  const progress = new Progress(stream, options.enabled ?? true, () => clock.time);
  return { clock, progress, written: () => text };
}

/** What stands on a line after text with carriage returns was written. */
function onScreen(text: string): string {
  let line = '';
  for (const part of text.split('\r')) line = part + line.slice(part.length);
  return line.trimEnd();
}

describe('Progress', () => {
  it('says nothing within half a second', () => {
    const { clock, progress, written } = recorded();
    progress.update('unpacking', 1, 10);
    clock.time += 499;
    progress.update('unpacking', 9, 10);
    progress.end();
    expect(written()).to.equal('');
  });

  it('rewrites one line and erases it', () => {
    const { clock, progress, written } = recorded();
    clock.time += 600;
    progress.update('searching modules', 50, 200);
    expect(onScreen(written())).to.equal('dumpleak: searching modules 25 % ...');
    clock.time += 200;
    progress.update('memory', 0, 1);
    expect(onScreen(written())).to.equal('dumpleak: memory ...');
    progress.end();
    expect(onScreen(written())).to.equal('');
    expect(written()).to.match(/\r$/);
    expect(written()).to.not.match(/[\n\u001b]/);
    const before = written();
    progress.end();
    expect(written()).to.equal(before);
  });

  it('writes at most ten lines a second', () => {
    const { clock, progress, written } = recorded();
    clock.time += 500;
    for (let i = 0; i < 1000; i++, clock.time++) progress.update('unpacking', i, 1000);
    expect(written().split('unpacking')).to.have.length(11);
  });

  it('never fills the line, and shows no more than all', () => {
    const { clock, progress, written } = recorded({ columns: 20 });
    clock.time += 500;
    progress.update('unpacking', 30, 10);
    expect(onScreen(written())).to.equal('dumpleak: unpacking');
    const wide = recorded();
    wide.clock.time += 500;
    wide.progress.update('unpacking', 30, 10);
    expect(wide.written()).to.include('unpacking 100 %');
  });

  it('is for terminals, and not with --quiet', () => {
    for (const options of [{ isTTY: false }, { enabled: false }]) {
      const { clock, progress, written } = recorded(options);
      clock.time += 5000;
      progress.update('unpacking', 1, 2);
      progress.end();
      expect(written()).to.equal('');
    }
  });
});
