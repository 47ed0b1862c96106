// Numbers and times as the page writes them, whatever the language of the browser.

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'];

/** 1234567 as 1,234,567 */
export const count = (n: number): string => Math.round(n).toLocaleString('en-US');

/** `1 recipient`, `1,234 recipients` */
export const counted = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

export function bytes(n: number): string {
  let unit = 0;
  let left = n;
  for (; left >= 1000 && unit < UNITS.length - 1; unit++) left /= 1000;
  return `${unit === 0 || left >= 100 ? Math.round(left) : left.toFixed(1)} ${UNITS[unit]}`;
}

/** Seconds as people say them: 0.4 s, 45 s, 12 min 5 s, 3 h 20 min, 5 days. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (seconds > 0 && seconds < 0.1) return '< 0.1 s';
  if (seconds > 0 && seconds < 9.95 && !Number.isInteger(seconds)) return `${seconds.toFixed(1)} s`;
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min${s % 60 === 0 ? '' : ` ${s % 60} s`}`;
  if (s < 2 * 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86_400)} days`;
}

/** How long ago, or in how long, in the largest unit alone. */
export function ago(at: number, now: number): string {
  const s = Math.abs(now - at);
  if (s < 10) return at > now ? 'in a moment' : 'just now';
  return at > now ? `in ${largestUnit(s)}` : `${largestUnit(s)} ago`;
}

function largestUnit(s: number): string {
  if (s < 60) return `${Math.floor(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 2 * 86_400) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86_400)} days`;
}

const two = (n: number) => String(n).padStart(2, '0');

const dayOf = (date: Date): string => [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');

/** A time as `<input type="datetime-local">` has it, which has no time zone: `2026-11-27T10:30` where the reader is. */
export function localMinute(at: number): string {
  const date = new Date(at * 1000);
  return `${dayOf(date)}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** The seconds of such a text; 0 of none. */
export const secondsOf = (local: string): number => Math.floor(new Date(local).getTime() / 1000) || 0;

/** The exact time where the reader is, with its distance from UTC. */
export function exactTime(at: number): string {
  const date = new Date(at * 1000);
  const offset = -date.getTimezoneOffset();
  const zone =
    offset === 0
      ? 'UTC'
      : `UTC${offset < 0 ? '−' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${dayOf(date)} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')} ${zone}`;
}

/** A share as whole percents: 100 % only if nothing is missing, 0 % only if there is nothing. */
export function percent(part: number, of: number): string {
  if (of <= 0 || part <= 0) return '0 %';
  if (part >= of) return '100 %';
  return `${Math.min(99, Math.max(1, Math.round((part / of) * 100)))} %`;
}
