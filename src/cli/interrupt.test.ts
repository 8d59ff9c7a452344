import { expect } from 'chai';
import { onEndingSignals } from './interrupt.js';

describe('signals that end the program', () => {
  const heard = (platform: NodeJS.Platform, signals: readonly NodeJS.Signals[]): number[] => {
    const codes: number[] = [];
    const release = onEndingSignals((code) => () => codes.push(code), platform);
    for (const signal of signals) process.emit(signal);
    release();
    return codes;
  };

  it('are Ctrl+C, a wish and a closed console; on Windows Ctrl+Break too', () => {
    const all = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'] as const;
    expect(heard('win32', all)).to.deep.equal([130, 143, 129, 130]);
    expect(heard('linux', all)).to.deep.equal([130, 143, 129]);
  });

  it('are left alone afterwards', () => {
    const before = process.listenerCount('SIGHUP');
    heard('win32', []);
    expect(process.listenerCount('SIGHUP')).to.equal(before);
    expect(process.listenerCount('SIGBREAK')).to.equal(0);
  });
});
