import { expect } from 'chai';
import { evaluate, TRIALS } from '../../../tools/evaluate/trend.js';
import { judge, type JudgeOptions, type Verdict } from './judge.js';

const OPTIONS: JudgeOptions = { unit: 'bytes', cycleHours: 24, timed: true };
const MB = 2 ** 20;

function judged(values: readonly number[], stepHours: number, options: Partial<JudgeOptions> = {}): Verdict {
  const hours = Float64Array.from(values, (_, i) => i * stepHours);
  return judge(hours, Float64Array.from(values), { ...OPTIONS, ...options });
}

const series = (count: number, value: (i: number) => number): number[] =>
  Array.from({ length: count }, (_, i) => value(i));
const code = (verdict: Verdict): string => `${verdict.judgement} ${verdict.reasons[0]?.code ?? ''}`;

/** Seeds that neither the tuning nor the table of the documentation used. */
const SEED = 20_001;
const COUNT = 200;

describe('the judge of growth', () => {
  for (const trial of TRIALS) {
    if (trial.promise === null) continue;
    const { judgement, atLeast, atMost } = trial.promise;
    const bound = atLeast === undefined ? `at most ${(atMost ?? 0) * 100} %` : `at least ${atLeast * 100} %`;
    it(`${trial.name}: ${bound} judged ${judgement}`, () => {
      const found = evaluate(trial, COUNT, SEED).judged[judgement];
      // As many more or fewer as chance gives a judge that just keeps the promise: two standard deviations.
      const allowed = (share: number): number => 2 * Math.sqrt(COUNT * share * (1 - share));
      if (atLeast !== undefined) expect(found).to.be.at.least(COUNT * atLeast - allowed(atLeast));
      if (atMost !== undefined) expect(found).to.be.at.most(COUNT * atMost + allowed(atMost));
    });
  }

  it('gives an interval that holds the true rate in about 95 of 100 cases', () => {
    const plain = TRIALS.find(({ name }) => name === 'leak, rise 8 x noise')!;
    const { covered, rated } = evaluate(plain, 200, SEED);
    expect(covered / rated).to.be.within(0.9, 1);
  });

  it('measures an exact line exactly', () => {
    const line = judged(
      series(100, (i) => 5 * MB + i * 3 * MB),
      1,
    );
    expect(line).to.include({ judgement: 'leak', fallShare: 0, monotonic: 1, neverFalls: true });
    expect(line.perHour).to.equal(3 * MB);
    expect(line.perHourLow).to.be.closeTo(3 * MB, 1);
    expect(line.perHourHigh).to.be.closeTo(3 * MB, 1);
  });

  it('calls constant values and small moves flat, however short', () => {
    expect(code(judged([7, 7], 1))).to.equal('flat constant');
    expect(
      code(
        judged(
          series(50, (i) => 100 * MB + (i % 2) * 1000),
          1,
        ),
      ),
    ).to.equal('flat small');
    expect(
      code(
        judged(
          series(10, (i) => 1000 * MB + (i % 2) * MB),
          1,
        ),
      ),
    ).to.equal('flat small');
    expect(judged([7, 7], 1).perHour).to.equal(0);
  });

  it('knows too little with fewer than two cycles, unless it never falls', () => {
    const wobble = series(20, (i) => i * MB - (i % 5 === 4 ? 3 * MB : 0));
    expect(code(judged(wobble, 1))).to.equal('too-little-data short');
    expect(code(judged(wobble, 3))).to.not.equal('too-little-data short');
    const rising = judged(
      series(20, (i) => i * MB),
      1,
    );
    expect(rising.reasons.map((reason) => reason.code)).to.deep.equal(['never-falls', 'short']);
    // The length of a cycle is the user's to say.
    expect(code(judged(wobble, 1, { cycleHours: 6 }))).to.not.equal('too-little-data short');
  });

  it('needs more than a few samples, and more than one time', () => {
    expect(code(judged([], 1))).to.equal('too-little-data too-few-samples');
    expect(code(judged([1], 1))).to.equal('too-little-data too-few-samples');
    expect(judged([0, 5 * MB, 10 * MB], 24).judgement).to.equal('too-little-data');
    expect(
      judged(
        series(6, (i) => i * MB),
        24,
      ).judgement,
    ).to.equal('leak');
    expect(code(judged([0, 5 * MB, 10 * MB, 3 * MB], 0))).to.equal('too-little-data one-time');
  });

  it('without times calls a leak only what never falls', () => {
    expect(
      code(
        judged(
          series(100, (i) => i * MB),
          1,
          { timed: false },
        ),
      ),
    ).to.equal('leak never-falls');
    expect(
      code(
        judged(
          series(100, (i) => i * MB - (i % 9 === 8 ? 5 * MB : 0)),
          1,
          { timed: false },
        ),
      ),
    ).to.equal('too-little-data no-times');
  });

  it('does not call a leak what rose in one step, or grew and stopped', () => {
    expect(
      judged(
        series(60, (i) => (i < 20 ? 0 : 50 * MB) + i),
        1,
      ).judgement,
    ).to.equal('step');
    expect(
      judged(
        series(60, (i) => (i < 20 ? i : 20) * MB + i),
        1,
      ).judgement,
    ).to.not.equal('leak');
    expect(
      judged(
        series(12, (i) => (i < 6 ? 0 : 50 * MB)),
        1,
      ).judgement,
    ).to.not.equal('leak');
  });

  it('does not call a leak what falls', () => {
    const falling = judged(
      series(100, (i) => 900 * MB - i * 5 * MB + (i % 3) * MB),
      1,
    );
    expect(code(falling)).to.equal('load falls');
    expect(falling.perHour).to.be.closeTo(-5 * MB, MB / 10);
  });

  it('says since when, where growth began late', () => {
    const late = judged(
      series(200, (i) => Math.max(0, i - 80) * 2 * MB + ((i * 37) % 11) * MB),
      1,
    );
    expect(late.judgement).to.equal('leak');
    expect(late.reasons.map((reason) => reason.code)).to.include('began-late');
    expect(late.perHour).to.be.closeTo(2 * MB, 0.2 * MB);
  });

  it('judges long series by what they are condensed to', () => {
    const growth = series(
      20_000,
      (i) => 100 * MB + 30 * MB * Math.sin((i * Math.PI) / 720) + ((i * 7919) % 101) * 10_000,
    );
    expect(judged(growth, 1 / 60).judgement).to.equal('load');
    expect(
      judged(
        growth.map((value, i) => value + i * 5000),
        1 / 60,
      ).judgement,
    ).to.equal('leak');
  });

  it('takes extreme values', () => {
    for (const values of [
      [0, 1e300, -1e300, 1e300],
      series(50, (i) => (i % 2) * 1e308),
      series(50, (i) => i * 1e-300),
    ]) {
      expect(judged(values, 1).judgement).to.be.a('string');
    }
  });
});
