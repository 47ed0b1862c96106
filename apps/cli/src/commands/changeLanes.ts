import { setTimeout as delay } from 'node:timers/promises';
import { beginLaneChange, installationStatus, openQueues, type Queues } from '@ruyi/queue';
import { keys, type LanePlan, LanePlans, type Member, Members, SCHEMA } from '@ruyi/store';
import { laneTable } from './status.ts';

const LOOK_EVERY_MS = 250;
const SAY_EVERY_MS = 5000;

type Redis = Queues['redis'];

/** Shows the lanes and who works them. @returns the exit code */
export async function showLanes(redis: Redis, isJson: boolean): Promise<number> {
  const state = await installationStatus(redis);
  if (isJson) {
    const { lanes_of_each_kind, lanes_changing_to, lanes } = state;
    process.stdout.write(`${JSON.stringify({ lanes_of_each_kind, lanes_changing_to, lanes })}\n`);
    return 0;
  }
  process.stdout.write(laneTable(state.lanes));
  process.stdout.write(`\nlanes of each kind: ${state.lanes_of_each_kind ?? 'not decided yet'}\n`);
  return 0;
}

/** Asks for another number of lanes, and watches the workers change it. @returns the exit code */
export async function changeLanes(redis: Redis, wanted: number, isJson: boolean): Promise<number> {
  const plans = new LanePlans(redis);
  const first = await plans.read();
  if (!first) return refuse('nothing was started on this installation yet: LANES decides how many lanes it gets');
  const shards = Number(await redis.hget(keys.meta, 'shards'));
  if (wanted > shards) return refuse(`${wanted} lanes: more than the ${shards} shards can share; choose fewer`);
  const reason = whyRefused(Number(await redis.hget(keys.meta, 'schema')), await new Members(redis).all());
  if (reason !== undefined) return refuse(reason);
  const queues = openQueues(redis, first);
  try {
    return await untilChanged(redis, plans, queues, { wanted, isJson });
  } finally {
    await queues.close();
  }
}

interface Wish {
  wanted: number;
  isJson: boolean;
}

async function untilChanged(redis: Redis, plans: LanePlans, queues: Queues, { wanted, isJson }: Wish): Promise<number> {
  let said = Number.NEGATIVE_INFINITY;
  for (;;) {
    const plan = await queues.advance();
    const isSettled = plan.next === undefined && plan.draining === undefined;
    if (isSettled && plan.lanes === wanted) {
      process.stdout.write(isJson ? `{"lanes_of_each_kind":${wanted}}\n` : `lanes of each kind: ${wanted}\n`);
      return 0;
    }
    // A change that somebody else has begun ends first.
    if (isSettled) await beginLaneChange(plans, plan, wanted);
    else if (!isJson && performance.now() - said > SAY_EVERY_MS) {
      said = performance.now();
      process.stdout.write(`${await progressOf(redis, plan)}\n`);
    }
    if (!isSettled) await delay(LOOK_EVERY_MS);
  }
}

async function progressOf(redis: Redis, plan: LanePlan): Promise<string> {
  const state = await installationStatus(redis);
  const previous = state.lanes.filter(({ kind }) => plan.draining?.kinds.includes(kind));
  const jobs = previous
    .filter(({ name }) => isOfGeneration(name, plan.generation - 1))
    .reduce((n, lane) => n + lane.jobs, 0);
  const worked = state.processes.some(({ role }) => role === 'worker') ? '' : '; no worker is running';
  return `to ${state.lanes_changing_to} lanes: ${jobs} jobs are left on the previous ones${worked}`;
}

const isOfGeneration = (name: string, generation: number) => Number(/\.g(\d+)$/.exec(name)?.[1] ?? 0) === generation;

/** A process of an earlier version would go on with the previous lanes. */
function whyRefused(schema: number, members: Member[]): string | undefined {
  const old = members.filter((member) => member.schema < SCHEMA).map(({ name, version }) => `${name} (${version})`);
  if (old.length > 0) return `processes do not know that lanes can change: ${old.join(', ')}; stop them first`;
  if (schema < SCHEMA)
    return 'the data was written by an earlier version: start this version once, then repeat the command';
  return undefined;
}

function refuse(line: string): number {
  process.stderr.write(`${line}\n`);
  return 1;
}
