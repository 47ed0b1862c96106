import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Summary } from './statistics.ts';

/** One line of the table: a measurement and what it is compared with, in the same run. */
export interface Line {
  what: string;
  goal: string;
  /** the measured value: a ratio, bytes or milliseconds */
  value: Summary;
  unit: string;
  met: boolean;
  /** both sides of a ratio, and anything else that explains the value */
  details: Record<string, number | string>;
}

const round = (value: number) => (Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)));

const cellsOf = ({ what, goal, value, unit, met, details }: Line) => [
  what,
  goal,
  `${round(value.median)} ${unit} (${round(value.lowest)} … ${round(value.highest)})`,
  met ? 'met' : 'not met',
  Object.entries(details)
    .map(([name, detail]) => `${name} ${typeof detail === 'number' ? round(detail) : detail}`)
    .join(', '),
];

const printed = new WeakSet<Line>();

/** Prints a line as soon as it is measured, once. The table follows at the end. */
export function printLine(line: Line): void {
  if (printed.has(line)) return;
  printed.add(line);
  console.log(`  ${cellsOf(line).join(' | ')}`);
}

export function printTable(lines: Line[]): void {
  const rows = lines.map(cellsOf);
  const header = ['what', 'goal', 'median (spread)', '', 'details'];
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  for (const row of [header, ...rows]) {
    console.log(row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  '));
  }
}

/** Adds to bench/results/<date>.json, and keeps earlier results of that day. @returns its path */
export function writeResults(folder: string, lines: Line[], settings: object): string {
  mkdirSync(folder, { recursive: true });
  const at = new Date();
  const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? '', memory: totalmem(), node: process.version };
  const file = join(folder, `${at.toISOString().slice(0, 10)}.json`);
  const before: { lines: Line[] } = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { lines: [] };
  const others = before.lines.filter(({ what }) => !lines.some((line) => line.what === what));
  const result = { at: at.toISOString(), machine, settings, lines: [...others, ...lines] };
  writeFileSync(file, `${JSON.stringify(result, undefined, 2)}\n`);
  return file;
}
