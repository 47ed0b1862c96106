import TRADITIONAL from 'opencc-js/dict/TSCharacters';

/** The blocks that nearly all characters are in: one array lookup each, and 55 KB instead of a megabyte of strings. */
const FIRST = 0x3400;
const LAST = 0x9fff;

const common = new Uint16Array(LAST - FIRST + 1);
const rare = new Map<number, number>();
load();

/**
 * OpenCC's table for single characters, 3,512 of them. Without its phrases, because a character must fold to the same
 * wherever it stands: a query shows other neighbours than the text does.
 */
function load(): void {
  const table = new Map<number, number>();
  for (const line of TRADITIONAL.split('|')) {
    const [from = '', to = ''] = line.split(' ');
    const [key, value] = [from.codePointAt(0), to.codePointAt(0)];
    if (key !== undefined && value !== undefined && key !== value) table.set(key, value);
  }
  for (const from of table.keys()) {
    // A few lead to another traditional one (薴 → 苧 → 苎).
    let to = from;
    for (let steps = 0; steps < 4; steps++) to = table.get(to) ?? to;
    if (from >= FIRST && from <= LAST && to <= 0xffff) common[from - FIRST] = to;
    else rare.set(from, to);
  }
}

/** @returns the code point of the simplified character; the same one if it has none of its own */
export function simplified(code: number): number {
  const known = code >= FIRST && code <= LAST ? common[code - FIRST] : 0;
  return known || (rare.get(code) ?? code);
}
