import { expect } from 'chai';
import fc from 'fast-check';
import { condense } from './condense.js';
import { cycleSlope, mannKendall, theilSen } from './estimate.js';
import { MOST_POINTS, Scratch } from './scratch.js';
import { median, quantile, select } from './select.js';

const number = fc.double({ min: -1e9, max: 1e9, noNaN: true });
const list = (max: number) => fc.array(number, { minLength: 1, maxLength: max });
const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

const scratch = new Scratch();

describe('order statistics', () => {
  it('are those of the sorted values', () => {
    fc.assert(
      fc.property(list(300), fc.double({ min: 0, max: 0.999, noNaN: true }), (values, share) => {
        const sorted = ascending(values);
        const k = Math.floor(share * values.length);
        expect(select(Float64Array.from(values), values.length, k)).to.equal(sorted[k]);
        expect(quantile(Float64Array.from(values), values.length, share)).to.equal(sorted[k]);
        const half = values.length >> 1;
        const middle = values.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
        expect(median(Float64Array.from(values))).to.equal(middle);
      }),
    );
    expect(median(new Float64Array(0))).to.be.NaN;
  });
});

describe('estimators of growth', () => {
  it('Theil-Sen is the median slope of all pairs', () => {
    fc.assert(
      fc.property(list(40), (values) => {
        const hours = values.map((_, i) => i * 1.5 + (i % 3) * 0.1);
        const slopes: number[] = [];
        for (let i = 0; i < values.length; i++) {
          for (let j = i + 1; j < values.length; j++) slopes.push((values[j]! - values[i]!) / (hours[j]! - hours[i]!));
        }
        const found = theilSen(Float64Array.from(hours), Float64Array.from(values), values.length, scratch);
        if (slopes.length === 0) expect(found).to.be.NaN;
        else expect(found).to.equal(median(Float64Array.from(slopes)));
      }),
    );
  });

  it('Theil-Sen is not moved by outliers', () => {
    const hours = Float64Array.from({ length: 100 }, (_, i) => i);
    const values = hours.map((hour) => (hour % 10 === 3 ? 1e12 : 5 * hour));
    expect(theilSen(hours, values, 100, scratch)).to.be.closeTo(5, 0.5);
  });

  it('Mann-Kendall counts pairs that rise less pairs that fall, ties as neither', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: MOST_POINTS }), (values) => {
        let sum = 0;
        for (let i = 0; i < values.length; i++) {
          for (let j = i + 1; j < values.length; j++) sum += Math.sign(values[j]! - values[i]!);
        }
        expect(mannKendall(Float64Array.from(values), values.length, scratch)).to.equal(sum);
      }),
    );
  });

  it('the slope over whole cycles does not see the cycle', () => {
    const hours = Float64Array.from({ length: 200 }, (_, i) => i / 4);
    const values = hours.map((hour) => 3 * hour + 500 * Math.sin((hour * Math.PI) / 12));
    expect(cycleSlope(hours, values, 200, 24, 0.2, 50, scratch)).to.be.closeTo(3, 1e-9);
    expect(theilSen(hours, values, 200, scratch)).to.not.be.closeTo(3, 1);
    expect(cycleSlope(hours, values, 90, 24, 0.2, 1, scratch)).to.equal(null);
  });

  it('condenses long series to medians in stretches that divide the cycle', () => {
    const hours = Float64Array.from({ length: 10_000 }, (_, i) => i / 60);
    const values = hours.map((hour, i) => (i % 97 === 0 ? 1e9 : hour));
    const points = condense(hours, values, 24);
    expect(points.values.length).to.be.within(MOST_POINTS / 2, MOST_POINTS);
    const width = points.hours[11]! - points.hours[10]!;
    expect(24 / width).to.be.closeTo(Math.round(24 / width), 1e-6);
    points.values.forEach((value, i) => expect(value).to.be.closeTo(points.hours[i]!, width));
  });
});
