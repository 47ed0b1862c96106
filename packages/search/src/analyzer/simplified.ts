import TRADITIONAL from 'opencc-js/dict/TSCharacters';

/** Nearly all characters are in this range. An array takes 55 KB instead of a megabyte of strings, and one lookup. */
const FIRST = 0x3400;
const LAST = 0x9fff;

const common = new Uint16Array(LAST - FIRST + 1);
const rare = new Map<number, number>();
load();

/**
 * Loads OpenCC's table of 3,512 single characters. Its phrases are not used, because a character must always fold to the
 * same one: in a query it has other neighbours than in the text.
 */
function load(): void {
  const table = new Map<number, number>();
  for (const line of TRADITIONAL.split('|')) {
    const [from = '', to = ''] = line.split(' ');
    const [key, value] = [from.codePointAt(0), to.codePointAt(0)];
    if (key !== undefined && value !== undefined && key !== value) table.set(key, value);
  }
  for (const from of table.keys()) {
    // A few characters map to another traditional one (薴 → 苧 → 苎).
    let to = from;
    for (let steps = 0; steps < 4; steps++) to = table.get(to) ?? to;
    if (from >= FIRST && from <= LAST && to <= 0xffff) common[from - FIRST] = to;
    else rare.set(from, to);
  }
}

/** @returns the code point of the simplified character; the same code point if there is none */
export function simplified(code: number): number {
  const known = code >= FIRST && code <= LAST ? common[code - FIRST] : 0;
  return known || (rare.get(code) ?? code);
}
