import { expect } from 'chai';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { workerProgram, WORKER_WORD } from './worker-program.js';

describe('the program of a worker', () => {
  it('is a file beside the code, or the single file itself', () => {
    const { path, args } = workerProgram();
    expect([basename(path), args]).to.deep.equal(['batch-worker.js', []]);
    const alone = new URL('../../package.json', import.meta.url).href;
    expect(workerProgram(alone)).to.deep.equal({ path: fileURLToPath(alone), args: [WORKER_WORD] });
  });
});
