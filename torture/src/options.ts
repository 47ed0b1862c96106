import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type FaultName, faultNames, isFaultName, notOnCluster } from './faults/names.ts';

export interface Options {
  seed: number;
  /** how long load and faults run, without starting, draining and checking */
  minutes: number;
  /** a Redis Cluster of 3 masters with a replica each instead of one redis-server */
  cluster: boolean;
  faults: FaultName[];
  /** users who send messages, and who send broadcasts, one request after the other */
  senders: number;
  broadcasters: number;
  /** the file for the report as JSON, if any */
  json?: string;
  /** the folder for the logs of the processes */
  logs?: string;
}

const leftOut = Object.entries(notOnCluster).map(([name, reason]) => `${name}, because ${reason}`);

export const HELP = `npm run torture -- [--cluster] [--minutes 10] [--seed N] [--faults a,b,… | none]
    [--senders 12] [--broadcasters 6] [--json file] [--logs folder]
faults: ${faultNames.join(', ')}; all of them without --faults
--cluster: on a Redis Cluster of 3 masters with a replica each, with REDIS_WAIT=1. What is done to Redis is done to one master
  at a time, and redis-kill also kills replicas. Connections are cut by proxies that the nodes announce, except those between
  nodes, which are closed by redis-client-kill. Left out: ${leftOut.join('; ')}.`;

/** @throws Error whose message is one line for the user */
export function readOptions(args: string[]): Options | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string' },
      cluster: { type: 'boolean', default: false },
      faults: { type: 'string' },
      senders: { type: 'string', default: '12' },
      broadcasters: { type: 'string', default: '6' },
      json: { type: 'string' },
      logs: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes}: must be a number above 0`);
  const seed = wholeNumber('seed', values.seed ?? String(Math.floor(Math.random() * 2 ** 31)), 0);
  const { json, logs, cluster } = values;
  if (logs !== undefined) mkdirSync(logs, { recursive: true });
  return {
    seed,
    minutes,
    cluster,
    faults: chosen(values.faults, cluster),
    senders: wholeNumber('senders', values.senders, 1),
    broadcasters: wholeNumber('broadcasters', values.broadcasters, 0),
    ...(json === undefined ? {} : { json }),
    ...(logs === undefined ? {} : { logs }),
  };
}

function wholeNumber(name: string, text: string, least: number): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= least) return number;
  throw new Error(`--${name} ${text}: must be a whole number of ${least} or more`);
}

function chosen(names: string | undefined, cluster: boolean): FaultName[] {
  if (names === undefined) return faultNames.filter((name) => !cluster || notOnCluster[name] === undefined);
  if (names === 'none') return [];
  return names.split(',').map((name) => {
    if (!isFaultName(name)) throw new Error(`no fault ${name}; there are: ${faultNames.join(', ')}`);
    const reason = cluster ? notOnCluster[name] : undefined;
    if (reason !== undefined) throw new Error(`${name} is not possible with --cluster: ${reason}`);
    return name;
  });
}
