import { readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '@ruyi/testkit';
import type { Fault } from './fault.ts';

const LEAST_PAUSE_MS = 2000;
const MOST_PAUSE_MS = 8000;

/** Removes the embedded index, or cuts it short, while it is written and searched. */
export const searchDamage: Fault = async ({ system, random, forMs, count }) => {
  const until = performance.now() + forMs;
  const directory = join(system.dataDir, 'search');
  do {
    const files = readdirSync(directory).filter((name) => name.startsWith('messages'));
    const index = files.find((name) => name.endsWith('.sqlite'));
    const [what, harm] = HARM[random.whole(0, HARM.length - 1)] ?? HARM[0];
    if (index !== undefined) {
      harm(directory, files, join(directory, index), random);
      count(what);
    }
    await pause(random.whole(LEAST_PAUSE_MS, MOST_PAUSE_MS));
  } while (performance.now() < until);
};

type Harm = (directory: string, files: string[], index: string, random: Random) => void;

const HARM: [[string, Harm], ...[string, Harm][]] = [
  ['times the index was removed', (directory, files) => files.map((name) => rmSync(join(directory, name)))],
  [
    'times the index was cut short',
    (_directory, _files, index, random) => truncateSync(index, random.whole(0, statSync(index).size)),
  ],
];
