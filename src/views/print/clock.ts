/** Times as the debugger prints them, in UTC: the dump does not hold the time zone of who reads it. */

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const two = (value: number): string => String(value).padStart(2, '0');

/** `Tue Dec  1 16:09:45 2020`; with `milliseconds` `16:09:45.766`. */
export function clockText(date: Date, milliseconds = false): string {
  const day = String(date.getUTCDate()).padStart(2);
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  const part = milliseconds ? `.${String(date.getUTCMilliseconds()).padStart(3, '0')}` : '';
  return `${DAYS[date.getUTCDay()] ?? ''} ${MONTHS[date.getUTCMonth()] ?? ''} ${day} ${time}${part} ${date.getUTCFullYear()}`;
}

/** 100 ns as `0 days 0:03:43.461`. */
export function upTimeText(ticks: bigint): string {
  const milliseconds = ticks / 10_000n;
  const seconds = milliseconds / 1000n;
  const [days, hours] = [seconds / 86_400n, (seconds / 3600n) % 24n];
  const [minutes, rest] = [(seconds / 60n) % 60n, seconds % 60n];
  const part = String(milliseconds % 1000n).padStart(3, '0');
  return `${days} days ${hours}:${two(Number(minutes))}:${two(Number(rest))}.${part}`;
}
