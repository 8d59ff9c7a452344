import { expect } from 'chai';
import { stepsOf } from '../../../tools/evaluate/code-work.js';
import { allocationsIn } from '../calls/allocations.js';
import { codeModule, slot, TEXT } from '../image/code-image.test.helper.js';
import { imageCode } from '../image/image-code.js';
import { TagFollower } from '../tag-code.js';
import { CodeWork } from './work.js';

const KEY = 0x6b61654c;
const LEAK = '4c 65 61 6b';
const little = (value: number): string => Buffer.from(Int32Array.of(value).buffer).toString('hex');
/** x64: a call or jump from `at`. */
const relative = (at: number, opcode: string, target: number): string =>
  `${opcode}${little(target - (at + opcode.length / 2 + 4))}`;

/** A function that gives a tag to the first of many, each of which gives its argument to all of them. */
function tangled(count: number, size: number): Record<number, string> {
  const start = (i: number): number => TEXT + 0x40 + i * size;
  const at: Record<number, string> = {
    [TEXT]: `4883ec28b9${LEAK.replaceAll(' ', '')}${relative(TEXT + 9, 'e8', start(0))}4883c428c3`,
  };
  for (let i = 0; i < count; i++) {
    let code = '4053' + '4883ec20' + '8bd9';
    for (let j = 0; j < count; j++) {
      code += '8bcb';
      code += relative(start(i) + code.length / 2, 'e8', start(j));
    }
    at[start(i)] = `${code}4883c4205bc3`;
  }
  return at;
}

describe('the work of following code', () => {
  it('is counted, and ends at a limit within a limit', () => {
    const work = new CodeWork(100);
    const cut = work.within(10, () => {
      work.steps += 10;
      return [work.isSpent(), work.left];
    });
    expect(cut).to.deep.equal({ value: [true, 0], isCut: true });
    expect([work.isSpent(), work.left]).to.deep.equal([false, 90]);
    expect(work.within(1000, () => work.left)).to.deep.equal({ value: 90, isCut: false });
    expect(() =>
      work.within(5, () => {
        throw new Error('once');
      }),
    ).to.throw('once');
    expect(work.left).to.equal(90);
  });

  it('grows with the functions of an image, not with the power of how deep they call each other', () => {
    const steps = [10, 20].map((count) => {
      const work = new CodeWork();
      const code = imageCode(codeModule({ at: tangled(count, 0x180) }), null, work)!;
      const found = new TagFollower(code).constantAt(TEXT + 5, KEY, false);
      expect(found?.fate).to.equal('unknown');
      return work.steps;
    });
    // Twice as many functions with twice as many calls each, on four levels.
    expect(steps[1]! / steps[0]!).to.be.below(6);
    expect(steps[1]).to.be.below(20_000);
  });

  it('is cut off at any limit without a wrong word: what allocates is told or not, and nothing else is', () => {
    const image = codeModule({
      at: {
        [TEXT]: `4883ec28ba${LEAK}${relative(TEXT + 9, 'e8', 0x1100)}4883c428c3`,
        0x1100: `448bc28bd133c9${relative(0x1107, 'ff25', slot('x64', 0))}`,
      },
    });
    const fates = new Set<string>();
    let whole = 0;
    for (let most = 0; most < 3000; most += most < 200 ? 1 : 50) {
      const work = new CodeWork(most);
      const found = new TagFollower(imageCode(image, null, work)!).constantAt(TEXT + 5, KEY, false);
      if (!work.isSpent()) expect(found?.fate, `${most}`).to.equal('allocates');
      fates.add(found?.fate ?? 'nothing');
      const listing = new CodeWork(most);
      const listed = allocationsIn(image, { work: listing });
      expect(listed.complete || listing.isSpent()).to.equal(true);
      if (listed.complete) {
        whole++;
        expect(listed.allocations).to.have.lengthOf(1);
      }
    }
    expect(whole).to.be.above(10);
    expect(fates).to.include('allocates');
    expect([...fates].filter((fate) => fate === 'elsewhere' || fate === 'frees')).to.deep.equal([]);
  });

  it('is bounded for built dumps, whatever their seed', function () {
    this.timeout(90_000);
    // 4 and 6 hold random code whose functions call each other thickly; 14 asks for most.
    for (const seed of [4, 6, 14, ...Array.from({ length: 5 }, (_, i) => 101 + i)]) {
      const { steps } = stepsOf('leak32', seed);
      expect(steps, `seed ${seed}`).to.be.below(2_500_000);
    }
  });
});
