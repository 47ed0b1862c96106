import type { ErrorBody } from '@ruyi/contracts';
import { expect, test } from 'vitest';
import { endpoints, withField } from './endpoints.ts';
import { type Answer, fresh, testSystem } from './harness.ts';

const system = testSystem();

const accepted = (answer: Answer<ErrorBody>) => expect([answer.status, answer.body]).toEqual([200, answer.body]);
const message = () => ({ channel_id: fresh('room'), channel_type: 2, payload: 'YQ==' });

test.each(['text/plain', 'application/x-www-form-urlencoded', 'nonsense'])(
  'the content type %s does not matter',
  async (type) => {
    accepted(await system.post('/message/send', message(), { 'content-type': type }));
  },
);

test('a body needs no content type, and may say Content-Encoding: identity', async () => {
  accepted(await system.post('/message/send', Buffer.from(JSON.stringify(message()))));
  accepted(await system.post('/message/send', message(), { 'content-encoding': 'Identity' }));
});

test('unknown fields are ignored, __proto__ among them', async () => {
  // Each would be refused if it were taken for the field of that name.
  const more =
    '"more":[{}],"constructor":1,"__proto__":{"setting":-1},"header":{"__proto__":{"sync_once":5},"more":null}';
  accepted(await system.post('/message/send', JSON.stringify(message()).replace('{', `{${more},`)));
});

const optional = endpoints.flatMap((endpoint) =>
  Object.entries(endpoint.fields).flatMap(([path, { required }]) =>
    // What says who receives a send is optional only as long as something says it.
    required || endpoint.method === 'GET' || (path === 'subscribers' && 'payload' in endpoint.valid)
      ? []
      : [{ endpoint, path, title: endpoint.title }],
  ),
);
test.each(optional)('$title takes null and "" in the optional field $path as absent', async ({ endpoint, path }) => {
  for (const value of [null, '']) accepted(await system.post(endpoint.path, withField(endpoint, path, value)));
});

test('the channel type of a send to subscribers is ignored', async () => {
  for (const channel_type of [0, 1, 'x', null, -1]) {
    accepted(await system.post('/message/send', { subscribers: ['u'], channel_id: '', channel_type, payload: 'YQ==' }));
  }
});
