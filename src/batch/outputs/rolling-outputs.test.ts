import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import { RollingOutputs } from './rolling-outputs.js';

describe('batch: outputs while it goes on', () => {
  it('are written soon after the first result, once for many, and not after the end', async () => {
    let written = 0;
    const rolling = new RollingOutputs(() => written++, { first: 5, least: 20 });
    rolling.changed();
    rolling.changed();
    expect(written).to.equal(0);
    await sleep(60);
    expect(written).to.equal(1);
    rolling.changed();
    await sleep(200);
    expect(written).to.equal(2);
    rolling.changed();
    rolling.end();
    await sleep(60);
    expect(written).to.equal(2);
  });
});
