/** What real counters do besides growing: noise that remembers, days of work, weekends. */

import type { Prng } from '../prng.js';

const TWO_PI = 2 * Math.PI;

/** A number from the standard normal distribution. */
export function normal(random: Prng): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.float()));
  return radius * Math.cos(TWO_PI * random.float());
}

/** A number between two bounds whose logarithm is evenly distributed. */
export function logUniform(random: Prng, low: number, high: number): number {
  return Math.exp(Math.log(low) + random.float() * Math.log(high / low));
}

/**
 * Noise with standard deviation 1 whose memory fades with `memoryHours` (an Ornstein-Uhlenbeck process), at the given
 * times in hours.
 */
export function fadingNoise(random: Prng, hours: Float64Array, memoryHours: number): Float64Array {
  const out = new Float64Array(hours.length);
  let value = normal(random);
  let before = hours[0] ?? 0;
  for (let i = 0; i < out.length; i++) {
    const at = hours[i] ?? 0;
    const keep = Math.exp(-(at - before) / memoryHours);
    value = keep * value + Math.sqrt(1 - keep * keep) * normal(random);
    out[i] = value;
    before = at;
  }
  return out;
}

/** How the days of a machine differ. */
export interface Habits {
  /** Hour of the day at which work peaks. */
  peakHour: number;
  /** From 1 (a sine) to 4 (a short working day). */
  sharpness: number;
  /** Standard deviation of a day's amplitude, as a share. */
  dayVariation: number;
  /** Amplitude on Saturdays and Sundays, as a share of a working day's. */
  weekend: number;
  /** Day of the week at hour 0, 0 = Sunday. */
  firstDay: number;
}

export function drawHabits(random: Prng): Habits {
  return {
    peakHour: 8 + 10 * random.float(),
    sharpness: 1 + 3 * random.float(),
    dayVariation: 0.2 * random.float(),
    weekend: random.chance(0.5) ? 1 : 0.2 + 0.8 * random.float(),
    firstDay: random.int(0, 6),
  };
}

/** The load by hour: 0 at night, around 1 at the peak of a working day. */
export function dailyLoad(random: Prng, hours: Float64Array, habits: Habits): Float64Array {
  const amplitudes = new Map<number, number>();
  return hours.map((hour) => {
    const day = Math.floor(hour / 24);
    let amplitude = amplitudes.get(day);
    if (amplitude === undefined) {
      const weekday = (((day + habits.firstDay) % 7) + 7) % 7;
      amplitude = Math.max(0, 1 + habits.dayVariation * normal(random));
      if (weekday === 0 || weekday === 6) amplitude *= habits.weekend;
      amplitudes.set(day, amplitude);
    }
    const wave = (1 + Math.cos((TWO_PI * (hour - habits.peakHour)) / 24)) / 2;
    return amplitude * wave ** habits.sharpness;
  });
}
