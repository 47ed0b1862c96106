import type { Line } from '../report.ts';
import type { Scale } from '../scale.ts';
import { backpressure } from './backpressure.ts';
import { broadcasts } from './broadcasts.ts';
import { fairness } from './fairness.ts';
import { fanout } from './fanout.ts';
import { freshness } from './freshness.ts';
import { fsync } from './fsync.ts';
import { latency } from './latency.ts';
import { memory } from './memory.ts';
import { reads } from './reads.ts';
import { scaling } from './scaling.ts';
import { search } from './search.ts';
import { singleSend } from './singleSend.ts';
import { smallBroadcasts } from './smallBroadcasts.ts';
import { sweep } from './sweep.ts';
import { tenants } from './tenants.ts';

export const cases: Record<string, (scale: Scale) => Promise<Line[]>> = {
  fanout,
  broadcast: broadcasts,
  small: smallBroadcasts,
  memory,
  single: singleSend,
  latency,
  freshness,
  fairness,
  tenants,
  reads,
  scaling,
  backpressure,
  search,
  sweep,
  fsync,
};
