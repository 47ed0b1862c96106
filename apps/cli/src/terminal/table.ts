import Table from 'cli-table3';
import pico from 'picocolors';

type Alignment = 'left' | 'right';

const NO_LINES = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '' },
  ...{ 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' },
};

/** Colours for a stream: none off a terminal, or with NO_COLOR. */
export const coloursOf = (stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv) =>
  pico.createColors(stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb');

/** Rows in columns, with the names of these above. Numbers stand right. */
export function table(
  head: string[],
  rows: (string | number)[][],
  bold: (text: string) => string = (text) => text,
): string {
  const colAligns = head.map((_, i): Alignment => (typeof rows[0]?.[i] === 'number' ? 'right' : 'left'));
  const style = { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 };
  const drawn = new Table({ head: head.map(bold), chars: NO_LINES, style, colAligns });
  drawn.push(...rows.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en-US') : cell))));
  const lines = drawn.toString().split('\n');
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}
