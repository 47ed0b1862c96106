import { seededRandom } from '@ruyi/testkit';
import { checkBatches } from './check/checkBatches.ts';
import { checkBodies } from './check/checkBodies.ts';
import { checkBroadcasts } from './check/checkBroadcasts.ts';
import { checkPlaces, expectedPlaces } from './check/checkPlaces.ts';
import { checkSearch } from './check/checkSearch.ts';
import { checkStrayKeys } from './check/checkStrayKeys.ts';
import { readBack } from './check/readBack.ts';
import { Findings } from './findings.ts';
import { Ledger } from './ledger/ledger.ts';
import { Http } from './load/http.ts';
import { createUsersAndGroups, startLoad } from './load/load.ts';
import { createWorld } from './load/world.ts';
import type { Options } from './options.ts';
import { watchProgress } from './progress.ts';
import { createReport, type Report } from './report.ts';
import { runSchedule } from './schedule.ts';
import { untilDrained } from './system/drained.ts';
import { startSystem } from './system/system.ts';

/** Longer than one broadcast may take to its end. */
const ANSWERED_DEADLINE_MS = 300_000;

/** One run: starts the system, loads and harms it, drains and checks it, and removes it. */
export async function torture(options: Options, say: (line: string) => void): Promise<Report> {
  const began = performance.now();
  const findings = new Findings(say);
  const ledger = new Ledger();
  const random = seededRandom(options.seed);
  const world = createWorld(options.senders, options.broadcasters);
  const http = new Http();
  const recoveries: number[] = [];
  const system = await startSystem(findings, options);
  try {
    const port = system.apiPorts[0] ?? 0;
    await createUsersAndGroups(http, port, world);
    const progress = watchProgress(system.redis, world);
    const load = startLoad(system, { http, world, ledger, findings, seed: options.seed });
    const noteRecovery = (ms: number) => recoveries.push(ms);
    const shared = { system, load, ledger, world, http, findings, progress, random, noteRecovery };
    const phases = await runSchedule(shared, options.faults, options.minutes * 60_000, say);
    await progress.stop();

    say('the load stops: open requests are answered, then the queues drain');
    const read = await within(load.stop(), ANSWERED_DEADLINE_MS, 'every request to be answered');
    await untilDrained(system.redis.client).catch((error: Error) => findings.add('stuck', error.message));

    say('reading everything back');
    await checkBodies(system.redis.client, findings);
    const asking = { http, port };
    const places = expectedPlaces(ledger);
    const found = await readBack(asking, places.keys(), read);
    const broadcasts = await checkBroadcasts(asking, ledger, findings, found);
    const stored = checkPlaces(ledger, findings, places, found);
    const otherKeys = await checkStrayKeys(system.redis.client, places, findings);
    const batches = await checkBatches(asking, ledger, findings);
    const searches = await checkSearch(asking, ledger, findings, world, found, random);
    await system.stop();
    for (const { name, errors } of system.members)
      for (const line of errors) findings.add('error log', `${name}: ${line}`);
    const seconds = (performance.now() - began) / 1000;
    const checked = { stored, places: places.size, batches, broadcasts, searches, otherKeys };
    return createReport({
      options,
      redis: system.redis.name,
      seconds,
      phases,
      checked,
      ledger,
      findings,
      load: load.stats,
      recoveries,
    });
  } finally {
    http.close();
    await system.remove();
  }
}

async function within<T>(work: Promise<T>, deadlineMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${deadlineMs} ms for ${what}`)), deadlineMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
