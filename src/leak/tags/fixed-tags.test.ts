import { expect } from 'chai';
import { codeModule, slot, TEXT, type CodeImage } from '../../code/image/code-image.test.helper.js';
import { judgeImage } from '../code/judge-image.js';

const NONE = Buffer.from('None').readUInt32LE();
const traces = (image: CodeImage, key = NONE) => judgeImage(codeModule(image), [key]).traces.get(key) ?? [];

/** `mov edx,40h; call [slot 0]; ret`. */
function calling(name: string): CodeImage {
  const distance = Buffer.alloc(4);
  distance.writeInt32LE(slot('x64', 0) - (TEXT + 11));
  const code = `ba40000000ff15${distance.toString('hex')}c3`;
  return { imports: [name], functions: [[TEXT, TEXT + 12]], at: { [TEXT]: code } };
}

describe('allocators that take no tag', () => {
  it('are found under None, by their calls, and said to be such', () => {
    const [trace, ...others] = traces(calling('ExAllocatePool'));
    expect(others).to.deep.equal([]);
    expect(trace?.strength).to.equal('high');
    expect(trace?.evidence).to.deep.include({
      ...{ kind: 'code-immediate', offset: '0x1005', bytes: null, callsAllocator: true },
      note: 'ExAllocatePool is called, which takes no tag: the kernel uses this one',
    });
    expect(trace?.evidence.call).to.deep.include({ allocator: 'ExAllocatePool', kind: 'allocate', through: [] });
  });

  it('say nothing of other tags and other functions', () => {
    expect(traces(calling('ExAllocatePool'), Buffer.from('Leak').readUInt32LE())).to.deep.equal([]);
    expect(traces(calling('DbgPrint'))).to.deep.equal([]);
  });
});
