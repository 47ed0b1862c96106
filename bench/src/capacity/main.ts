import { parseArgs } from 'node:util';
import { type Costs, type CpuCosts, logBytes, sizeAt } from './costs.ts';
import { FULL, measureCosts, measureMasters, TINY } from './measure.ts';
import { type Load, planFor } from './plan.ts';

const HELP = `npm run capacity [-- OPTIONS]
Measures what a recipient and a message cost here, checks the model on 1, 2 and 4 Redis masters, and prints how many
masters, workers and APIs carry which load.

  --recipients-per-hour N   plan for this load alone, in the busiest hour
  --messages-per-hour N     single messages beside it (0)
  --payload BYTES           (200)
  --batch N                 recipients of a broadcast (10000)
  --messages-per-log N      that each log keeps on average (30)
  --busy-hours N            of a day (3)
  --kept-days N             (7)
  --master-gb N             maxmemory of one master (32)
  --no-check                only measure the costs on one master
  --tiny                    shows that it works, measures nothing
  --json                    costs, checks and plans as JSON

Example: npm run capacity -- --recipients-per-hour 100000000 --kept-days 30`;

const { values } = parseArgs({
  options: {
    'recipients-per-hour': { type: 'string' },
    'messages-per-hour': { type: 'string', default: '0' },
    payload: { type: 'string', default: '200' },
    batch: { type: 'string', default: '10000' },
    'messages-per-log': { type: 'string', default: '30' },
    'busy-hours': { type: 'string', default: '3' },
    'kept-days': { type: 'string', default: '7' },
    'master-gb': { type: 'string', default: '32' },
    'no-check': { type: 'boolean', default: false },
    tiny: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean' },
  },
});

const LOADS = [1e6, 1e7, 1e8, 1e9, 1e10];
const CHECKED_MASTERS = [1, 2, 4];
/** Between two of the sizes that the costs are measured at. */
const CHECKED_MESSAGES = { full: 60, tiny: 4 };

interface Check {
  masters: number;
  predictedCpu: number;
  measuredCpu: number;
  predictedBytes: number;
  measuredBytes: number;
}

if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const extent = values.tiny ? TINY : FULL;
const say = (line: string) => (values.json ? console.error(line) : console.log(line));
say('measuring the costs on one master …');
const costs = await measureCosts(extent);
const checks: Check[] = [];
for (const masters of values['no-check'] ? [] : CHECKED_MASTERS) {
  say(`checking the model on ${masters} ${masters === 1 ? 'master' : 'masters'} …`);
  checks.push(await check(masters));
}
const load = {
  messagesPerHour: number('messages-per-hour'),
  payloadBytes: number('payload'),
  batchRecipients: number('batch'),
  messagesPerLog: number('messages-per-log'),
  busyHours: number('busy-hours'),
  keptDays: number('kept-days'),
  masterBytes: number('master-gb') * 1e9,
};
const wanted = values['recipients-per-hour'] === undefined ? LOADS : [number('recipients-per-hour')];
const plans = wanted.map((recipientsPerHour) => {
  const full: Load = { ...load, recipientsPerHour };
  return { recipientsPerHour, ...planFor(costs, full) };
});
if (values.json) console.log(JSON.stringify({ costs, checks, load, plans }, undefined, 2));
else printAll();

type Numeric =
  | 'messages-per-hour'
  | 'payload'
  | 'batch'
  | 'messages-per-log'
  | 'busy-hours'
  | 'kept-days'
  | 'master-gb';

function number(name: Numeric | 'recipients-per-hour'): number {
  const value = Number(values[name]);
  if (Number.isFinite(value) && value >= 0 && (value > 0 || name === 'messages-per-hour')) return value;
  console.error(`--${name}=${values[name]}: must be a number above 0`);
  process.exit(2);
}

function sum({ api, worker, redis, indexer }: CpuCosts): number {
  return api + worker + redis + indexer;
}

async function check(masters: number): Promise<Check> {
  const messages = values.tiny ? CHECKED_MESSAGES.tiny : CHECKED_MESSAGES.full;
  const measured = await measureMasters(masters, extent, messages);
  return {
    masters,
    predictedCpu: sum(costs.broadcast.cpu),
    measuredCpu: sum(measured.broadcast.cpu),
    predictedBytes: logBytes(costs.logs, messages),
    measuredBytes: measured.logBytes,
  };
}

function printAll(): void {
  const f = (value: number) => (value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3));
  const cpu = (c: CpuCosts) => `API ${f(c.api)}, worker ${f(c.worker)}, Redis ${f(c.redis)}, indexer ${f(c.indexer)}`;
  const { broadcast, single, logs }: Costs = costs;
  console.log('\ncosts');
  console.log(`  CPU of a recipient of a broadcast, µs     ${cpu(broadcast.cpu)}`);
  console.log(`  CPU of a single message, µs               ${cpu(single.cpu)}`);
  console.log(`  AOF of a recipient, bytes                 ${f(broadcast.aofBytes)}`);
  console.log(`  AOF of a message of 136 bytes             ${f(sizeAt(single.aof, 136))}`);
  console.log(`  memory of a message of 136 bytes          ${f(sizeAt(single.memory, 136))}`);
  for (const { messages, bytes } of logs) {
    console.log(
      `  memory of a log of ${String(messages).padStart(4)} references, bytes   ${f(bytes)} (${f(bytes / messages)} each)`,
    );
  }
  if (checks.length > 0) console.log('\nmodel against measurement');
  for (const one of checks) {
    const off = (predicted: number, measured: number) => `${(100 * (predicted / measured - 1)).toFixed(1)} %`;
    console.log(
      `  ${one.masters} masters   CPU of a recipient ${f(one.predictedCpu)} predicted, ${f(one.measuredCpu)} measured µs (${off(one.predictedCpu, one.measuredCpu)})   memory of a log ${f(one.predictedBytes)} predicted, ${f(one.measuredBytes)} measured bytes (${off(one.predictedBytes, one.measuredBytes)})`,
    );
  }
  console.log(`\nplans: ${JSON.stringify(load)}`);
  for (const plan of plans) {
    console.log(
      `  ${plan.recipientsPerHour.toLocaleString('en').padStart(14)} recipients/h   masters ${plan.masters} (by ${plan.limit}), workers ${plan.workers}, APIs ${plan.apis}, indexers ${plan.indexers}; ${f(plan.memoryGbPerDay)} GB of memory a day, ${f(plan.memoryGb)} GB kept, ${f(plan.aofGbPerDay)} GB of AOF a day`,
    );
  }
}
