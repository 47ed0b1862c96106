import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { HEALTH_CHECKS } from '@ruyi/contracts';
import { findPromtool, waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { apiClient, base64, fresh, group, names, startApi, testSystem, upTo } from './harness.ts';

const system = testSystem(['worker', 'indexer'], { INBOX_MAX: '3', API_TOKEN: '' });

async function scrape(address = system.address): Promise<string> {
  const answer = await fetch(`${address}/metrics`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  return answer.text();
}

/** The sum, over all processes, of the series with this name and these labels. */
function total(text: string, name: string, labels: Record<string, string> = {}): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => wanted.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

/** Processes report every few seconds. */
const reported = (name: string, labels: Record<string, string>, least: number, most = least) =>
  waitFor(
    async () => {
      const sum = total(await scrape(), name, labels);
      return sum >= least && sum <= most;
    },
    {
      what: `${name} ${JSON.stringify(labels)} to be ${least}`,
      deadlineMs: 20_000,
    },
  );

test('every line is a comment or a series, and no metric is described twice', async () => {
  await system.store({ ...group(fresh('room')), payload: base64('x') });
  const lines = (await scrape()).trim().split('\n');
  const odd = lines.filter(
    (line) => line !== '' && !/^(# (HELP|TYPE) \S+ .+|\w+(\{.*\})? [-+\d.e]+|\w+(\{.*\})? Nan)$/.test(line),
  );
  expect(odd).toEqual([]);
  const described = lines.flatMap((line) => /^# TYPE (\S+)/.exec(line)?.[1] ?? []);
  expect(new Set(described).size).toBe(described.length);
});

test('what workers stored and indexers made findable is counted, and how long that took', async () => {
  // One of them belongs to the test above.
  for (const n of upTo(4)) await system.send({ ...group(fresh('room')), payload: base64(`${n}`) });
  await system.sendBatch({ from_uid: fresh('news'), subscribers: names(1500, fresh('u')), payload: base64('all') });
  await system.settled();
  await reported('ruyi_stored_total', { kind: 'send' }, 1 + 4);
  await reported('ruyi_stored_total', { kind: 'fanout' }, 1500);
  // A broadcast is a document for each lane that has less than 1,000 of its recipients. A document may be indexed twice.
  await reported('ruyi_indexed_documents_total', {}, 1 + 4 + 2, Number.POSITIVE_INFINITY);
  const after = await scrape();
  const jobs = total(after, 'ruyi_search_freshness_seconds_count');
  expect(jobs).toBeGreaterThan(0);
  expect(total(after, 'ruyi_search_freshness_seconds_bucket', { le: '+Inf' })).toBe(jobs);
  expect(total(after, 'ruyi_search_freshness_seconds_sum') / jobs).toBeLessThan(60);
});

test('commands that an inbox over INBOX_MAX lost are counted, single ones and those of broadcasts', async () => {
  const [ann, ben] = [fresh('ann'), fresh('ben')];
  const command = { header: { sync_once: 1 }, payload: base64('x') };
  for (const _ of upTo(5)) await system.send({ ...command, channel_id: ann, channel_type: 1 });
  for (const _ of upTo(4)) await system.send({ ...command, subscribers: [ben] });
  await system.settled();
  expect((await system.inbox(ann)).map(({ message_seq }) => message_seq)).toEqual([3, 4, 5]);
  expect((await system.inbox(ben)).map(({ message_seq }) => message_seq)).toEqual([2, 3, 4]);
  await reported('ruyi_dropped_commands_total', {}, 2 + 1);
});

test('requests are timed by endpoint and status, and any API tells what all of them saw', async () => {
  const other = await startApi(system.config);
  const client = apiClient(other.address);
  expect((await client.send({})).status).toBe(400);
  expect((await client.get('/no/such/path')).status).toBe(404);
  await reported('ruyi_http_request_seconds_count', { path: '/message/send', status: '400' }, 1);
  await reported('ruyi_http_request_seconds_count', { path: 'other', status: '404' }, 1);
  const batches = async (address: string) =>
    total(await scrape(address), 'ruyi_http_request_seconds_count', { path: '/message/sendbatch', status: '200' });
  expect(await batches(system.address)).toBeGreaterThan(0);
  await waitFor(async () => (await batches(other.address)) === (await batches(system.address)), {
    what: 'the other one to know of the batches',
    deadlineMs: 20_000,
  });
  await other.process.kill('SIGTERM');
});

test('the state of the installation is told', async () => {
  const text = await scrape();
  expect(total(text, 'ruyi_redis_up')).toBe(1);
  expect(total(text, 'ruyi_redis_memory_bytes')).toBeGreaterThan(100_000);
  expect(total(text, 'ruyi_dead_letters')).toBe(0);
  expect(total(text, 'ruyi_index_jobs', { state: 'wait' })).toBe(0);
  expect(total(text, 'ruyi_workers')).toBe(1);
  const checks = [...text.matchAll(/^ruyi_health\{check="(\w+)"\} 1$/gm)].map(([, check]) => check);
  expect(checks).toEqual(HEALTH_CHECKS);
  expect([...text.matchAll(/^ruyi_oldest_waiting_seconds\{kind="(\w+)"\} 0$/gm)].map(([, kind]) => kind)).toEqual([
    'send',
    'fanout',
    'index',
  ]);
  expect(total(text, 'ruyi_scripts_total')).toBeGreaterThan(0);
  expect(total(text, 'ruyi_script_seconds_total')).toBeGreaterThan(0);
  expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds\{process="worker-\w+"\} /m);
  expect(text).toMatch(/^ruyi_backlog_recipients\{kind="fanout"\} \d+$/m);
});

test('every query of the dashboard has series on an installation that works', async () => {
  await system.sendBatch({ from_uid: fresh('news'), subscribers: names(1000, fresh('u')), payload: base64('all') });
  await system.settled();
  const file = new URL('../../../deploy/grafana/ruyi.json', import.meta.url);
  const dashboard: { panels: { targets: { expr: string }[] }[] } = JSON.parse(readFileSync(file, 'utf8'));
  const asked = dashboard.panels
    .flatMap(({ targets }) => targets.flatMap(({ expr }) => expr.match(/\b(?:ruyi|nodejs|process)_\w+/g) ?? []))
    .filter((name) => name !== 'process');
  const missing = async () => {
    const text = await scrape();
    return asked.filter((name) => !new RegExp(`^${name}[ {]`, 'm').test(text));
  };
  await waitFor(async () => (await missing()).length === 0, { what: 'every series', deadlineMs: 20_000 });
  expect(asked.length).toBeGreaterThan(10);
});

const promtool = findPromtool();
if (promtool === undefined) console.log('skipped: promtool check metrics; it is not installed');
test.runIf(promtool)('promtool finds nothing wrong with the metrics', async () => {
  const { status, stdout, stderr } = spawnSync(promtool ?? '', ['check', 'metrics'], {
    input: await scrape(),
    encoding: 'utf8',
  });
  expect([status, stdout + stderr]).toEqual([0, '']);
});

test('with a token it is asked for, and without Redis the process still tells about itself', async () => {
  const guarded = await startApi({ ...system.config, API_TOKEN: 'secret-token-of-the-test' });
  expect((await fetch(`${guarded.address}/metrics`)).status).toBe(401);
  const headers = { token: 'secret-token-of-the-test' };
  await system.redis.kill('SIGSTOP');
  try {
    const answer = await fetch(`${guarded.address}/metrics`, { headers });
    expect(answer.status).toBe(200);
    const text = await answer.text();
    expect(total(text, 'ruyi_redis_up')).toBe(0);
    expect(text).toMatch(/^ruyi_health\{check="redis"\} 0$/m);
    expect(text).not.toContain('check="workers"');
    expect(total(text, 'ruyi_http_request_seconds_count', { path: '/metrics', status: '401' })).toBe(1);
  } finally {
    await system.redis.kill('SIGCONT');
  }
  await guarded.process.kill('SIGTERM');
});
