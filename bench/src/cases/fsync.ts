import { BusyCores } from '../busyCores.ts';
import { roundsOf } from '../progress.ts';
import type { Line } from '../report.ts';
import type { Scale } from '../scale.ts';
import { summarize } from '../statistics.ts';
import { batchBodies, broadcast, type System, startSystem, timed } from '../system.ts';
import { sendSingles, storedAll } from './singleSend.ts';

const POLICIES = ['everysec', 'always'] as const;
type Policy = (typeof POLICIES)[number];

/** What both loads measured under one policy, a number a round. */
interface Measured {
  singles: number[];
  p99: number[];
  recipients: number[];
  cores: BusyCores;
}

const nothing = (): Measured => ({ singles: [], p99: [], recipients: [], cores: new BusyCores() });

const setFsync = ({ redis }: System, policy: Policy) => redis.client.config('SET', 'appendfsync', policy);

/** The price of `appendfsync always`, where nothing answered 200 is lost to a power cut: both policies in turns, on one Redis. */
export async function fsync(scale: Scale): Promise<Line[]> {
  const [seconds, batches] = scale.tiny ? [1, 1] : [6, 20];
  const size = scale.tiny ? 1000 : 10_000;
  const system = await startSystem();
  const measured: Record<Policy, Measured> = { everysec: nothing(), always: nothing() };
  try {
    let sent = (await sendSingles(system.address, 1)).answered;
    await broadcast(system, batchBodies('warmup', 1, size));
    for (const round of roundsOf('fsync', scale.rounds)) {
      for (const policy of POLICIES) {
        const { singles, p99, recipients, cores } = measured[policy];
        await setFsync(system, policy);
        const load = await cores.during(system, () => sendSingles(system.address, seconds));
        sent += load.answered;
        await storedAll(system, sent);
        const bodies = batchBodies(`${policy}${round}`, batches, size);
        recipients.push((batches * size) / (await timed(() => broadcast(system, bodies))));
        singles.push(load.perSecond);
        p99.push(load.p99);
      }
    }
  } finally {
    await system.stop();
  }
  return [
    comparison('single send, appendfsync always', measured, 'singles', '/s'),
    comparison('fan-out, appendfsync always', measured, 'recipients', ' recipients/s'),
  ];
}

/** There is no goal: what a disk takes to sync decides it. */
function comparison(
  what: string,
  measured: Record<Policy, Measured>,
  kind: 'singles' | 'recipients',
  unit: string,
): Line {
  const ratios = measured.always[kind].map((value, round) => value / (measured.everysec[kind][round] ?? 0));
  const details: Line['details'] = {};
  for (const policy of POLICIES) {
    const { p99, cores, [kind]: values } = measured[policy];
    details[`${policy}${unit}`] = summarize(values).median;
    if (kind === 'singles')
      Object.assign(details, { [`${policy} p99 ms`]: summarize(p99).median }, cores.details(policy));
  }
  return { what, goal: 'reported beside everysec', value: summarize(ratios), unit: '×', met: true, details };
}
