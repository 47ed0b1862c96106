import type { Route, Section } from '../http/route.ts';
import { broadcastRoutes } from './broadcasts.ts';
import { channelRoutes } from './channel.ts';
import { docsRoutes } from './docs.ts';
import { health, livez, readyz } from './health.ts';
import { messageRoutes } from './message.ts';
import { metrics } from './metrics.ts';
import { searchRoutes } from './search.ts';
import { status } from './status.ts';

/** Every endpoint of the API, by subject. */
export const sections: Section[] = [
  { name: 'Messages', description: 'sending, reading, progress', routes: messageRoutes },
  { name: 'Search', description: "a user's messages by their text", routes: searchRoutes },
  { name: 'Channels and users', description: 'logs, subscribers, users', routes: channelRoutes },
  { name: 'Broadcasts', description: 'one message to any number of recipients', routes: broadcastRoutes },
  { name: 'Operation', description: 'how the installation is', routes: [health, livez, readyz, metrics, status] },
  { name: 'This document', description: 'the API described by itself', routes: docsRoutes(() => sections) },
];
export const routes: Route[] = sections.flatMap((section) => section.routes);
