import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { type RequestName, requestSchemas } from '../src/requests.ts';

/** Every field of a request stands in the table of its endpoint in docs/api.md, and no other. */

/** The schema of each endpoint that has a request of its own. */
const REQUESTS: Record<string, RequestName> = {
  'POST /message/send': 'Send',
  'POST /message/sendbatch': 'SendBatch',
  'POST /message/sync': 'Sync',
  'POST /message/syncack': 'SyncAck',
  'POST /messages': 'Messages',
  'POST /channel/messagesync': 'MessageSync',
  'GET /channel/max_message_seq': 'MaxSeqQuery',
  'POST /channel': 'ChannelPut',
  'POST /channel/info': 'ChannelInfo',
  'GET /channel/info': 'ChannelQuery',
  'POST /channel/subscriber_add': 'SubscriberAdd',
  'POST /channel/subscriber_remove': 'SubscriberRemove',
  'GET /channel/subscribers': 'SubscribersQuery',
  'POST /channel/delete': 'ChannelDelete',
  'POST /user/token': 'UserToken',
  'POST /broadcasts': 'BroadcastCreate',
  'POST /broadcasts/{no}/start': 'BroadcastStart',
  'GET /broadcasts': 'BroadcastsQuery',
  'POST /plugins/wk.plugin.search/usersearch': 'UserSearch',
};

const schemas = requestSchemas({ maxPayloadBytes: 1, maxRecipients: 1 });
const sections = new Map(
  readFileSync(new URL('../../../docs/api.md', import.meta.url), 'utf8')
    .split(/^###? /m)
    .map((text) => [text.slice(0, text.indexOf('\n')), text]),
);

/** Names in the first column of an endpoint's table of fields; of `header.red_dot` the first part. */
function documentedFields(endpoint: string): string[] {
  const [, table = ''] = /^(\| field .*?)^(?!\|)/ms.exec(sections.get(endpoint) ?? '') ?? [];
  const cells = [...table.matchAll(/^\| (.*?) \|/gm)].map(([, cell = '']) => cell);
  return cells.flatMap((cell) => [...cell.matchAll(/`(\w+)[^`]*`/g)].map(([, name = '']) => name));
}

test('every schema belongs to an endpoint', () => {
  expect(Object.values(REQUESTS).sort()).toEqual(Object.keys(schemas).sort());
});

/** The fields of a schema, whatever transforms stand before or behind its object. */
function fieldsOf(schema: z.ZodType): string[] {
  const sides = (['input', 'output'] as const).map((io) => z.toJSONSchema(schema, { io, unrepresentable: 'any' }));
  return sides.flatMap(({ properties = {} }) => Object.keys(properties));
}

const sorted = (names: string[]) => [...new Set(names)].sort();

test.each(Object.entries(REQUESTS))('%s', (endpoint, name) => {
  expect(sorted(documentedFields(endpoint))).toEqual(sorted(fieldsOf(schemas[name])));
  expect(documentedFields(endpoint)).not.toEqual([]);
});
