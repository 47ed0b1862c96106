import type { Config } from '@ruyi/config';
import { VERSION } from '@ruyi/store';
import type { RequestHandler, Response } from 'express';
import { visitorOf } from '../visitor.ts';
import { eventText, type Live } from './live.ts';
import type { About } from './liveState.ts';

const MOST_VIEWERS = 500;
/** A viewer who does not read what it is sent misses events; the next one says everything. */
const MOST_UNREAD_BYTES = 256 * 1024;

/** GET /events: the overview once a second; with `broadcast=<no>` that broadcast, with `dead` the dead letters. */
export function events(live: Live, config: Config): RequestHandler {
  let viewers = 0;
  return (request, response) => {
    if (viewers >= MOST_VIEWERS) {
      response.status(503).set('Retry-After', '5').json({ error: 'busy', message: 'too many pages are open' });
      return;
    }
    viewers++;
    const visitor = visitorOf(response);
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
    const tell = (text: string) => {
      if (!visitor.isAdmitted()) response.end();
      else if (response.writableLength < MOST_UNREAD_BYTES) response.write(text);
    };
    tell(eventText('about', aboutFor(config, response)));
    tell(eventText('history', live.counters.history));
    const stops = live.watched(request.query).map((reading) => reading.listen(tell));
    response.once('close', () => {
      viewers--;
      for (const stop of stops) stop();
    });
  };
}

function aboutFor(config: Config, response: Response): About {
  const { who } = visitorOf(response);
  return {
    environment: config.boardEnvironment,
    isReadOnly: config.boardReadonly,
    who,
    canLogOut: config.boardToken !== '',
    version: VERSION,
  };
}
