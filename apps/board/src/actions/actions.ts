import type { RuyiClient } from '@ruyi/client';
import type { Config } from '@ruyi/config';
import type { DeadLetters } from '@ruyi/queue';
import type { Logger } from '@ruyi/telemetry';
import express, { type RequestHandler, Router } from 'express';
import type { Live } from '../live/live.ts';
import { ownPostsOnly } from '../pageSecurity.ts';
import { broadcastRequest, startRequest } from './broadcastRequest.ts';
import { drop, onDead, retry } from './deadLetters.ts';
import { type Act, logged } from './logged.ts';
import { uploadList } from './uploadList.ts';

const KIB = 1024;

/** What the page can do about a broadcast, by the last part of its address. */
const CHANGES = {
  pause: 'pauseBroadcast',
  resume: 'resumeBroadcast',
  cancel: 'cancelBroadcast',
  retry: 'retryBroadcast',
} as const satisfies Record<string, keyof RuyiClient>;

/** On what the page acts. */
export interface ActedOn {
  ruyi: RuyiClient;
  dead: DeadLetters;
  live: Live;
}

/** Everything that the page can change. Each is refused with BOARD_READONLY, and logged with who does it. */
export function actions({ ruyi, dead, live }: ActedOn, config: Config, log: Logger): Router {
  const router = Router();
  const act = (name: string, what: Act) => logged(log, name, what);
  router.use(ownPostsOnly, refuseIf(config.boardReadonly));
  // A text takes up to six bytes a character in JSON.
  const body = express.json({ limit: 6 * config.maxPayloadBytes + 64 * KIB });
  router.post(
    '/broadcasts',
    body,
    act('create broadcast', async ({ body }) => ruyi.createBroadcast(broadcastRequest.parse(body))),
  );
  router.put('/broadcasts/:no/recipients/:part', act('upload recipients', uploadList(ruyi)));
  router.post(
    '/broadcasts/:no/start',
    body,
    act('start broadcast', async ({ params: { no = '' }, body: given }) => {
      const { start_at } = startRequest.parse(given);
      return ruyi.startBroadcast({ broadcast_no: no, ...(start_at === undefined ? {} : { start_at }) });
    }),
  );
  for (const [verb, method] of Object.entries(CHANGES)) {
    router.post(
      `/broadcasts/:no/${verb}`,
      act(`${verb} broadcast`, ({ params: { no = '' } }) => ruyi[method]({ broadcast_no: no })),
    );
  }
  router.post('/dead/retry', body, act('retry dead letters', onDead(dead, live, retry)));
  router.post('/dead/drop', body, act('drop dead letters', onDead(dead, live, drop)));
  return router;
}

const refuseIf =
  (isReadOnly: boolean): RequestHandler =>
  (_, response, next) => {
    if (!isReadOnly) return next();
    response.status(403).json({ error: 'read_only', message: 'this board only shows: BOARD_READONLY is 1' });
  };
