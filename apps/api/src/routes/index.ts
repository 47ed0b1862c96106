import type { Route } from '../http/route.ts';
import { broadcastRoutes } from './broadcasts.ts';
import { channelRoutes } from './channel.ts';
import { health, livez, readyz } from './health.ts';
import { messageRoutes } from './message.ts';
import { metrics } from './metrics.ts';
import { searchRoutes } from './search.ts';
import { status } from './status.ts';

/** Every endpoint of the API. */
export const routes: Route[] = [
  ...messageRoutes,
  ...channelRoutes,
  ...searchRoutes,
  ...broadcastRoutes,
  health,
  livez,
  readyz,
  metrics,
  status,
];
