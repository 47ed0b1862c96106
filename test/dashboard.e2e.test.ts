import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient, textPayload } from '@ruyi/client';
import { expectNoLeaks, findPrometheus, startPrometheus, type TestPrometheus, tempDir, waitFor } from '@ruyi/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { page, root } from './docs/files.ts';
import { Dashboard, queriesOf } from './grafana.ts';
import { type Installation, newInstallation } from './installation.ts';

/** A real Prometheus reads an installation that works, and has an answer to all that the dashboard and the alerts ask. */

const TOKEN = 'a-token-that-prometheus-has';
/** Prometheus reads every second. The graph is that of the last minute. */
const SECONDS = { scrape: 1, step: 1 };
const SHOWN_SECONDS = 60;
const PATIENCE = { deadlineMs: 60_000, everyMs: 500 };

const Config = z.looseObject({
  global: z.looseObject({}),
  scrape_configs: z.array(
    z.looseObject({
      authorization: z.looseObject({ credentials_file: z.string() }),
      static_configs: z.array(z.looseObject({ targets: z.array(z.string()) })),
    }),
  ),
});
const Series = z.object({
  result: z.array(
    z.object({ metric: z.record(z.string(), z.string()), values: z.array(z.tuple([z.number(), z.string()])) }),
  ),
});
const Rules = z.object({
  groups: z.array(
    z.object({ rules: z.array(z.object({ name: z.string(), health: z.string(), lastError: z.string().optional() })) }),
  ),
});

const binary = findPrometheus();
if (binary === undefined) console.log('not run: the dashboard; Prometheus is not installed');

describe.skipIf(binary === undefined)('a Prometheus that reads an installation', () => {
  const folder = tempDir('token');
  let ruyi: Installation;
  let prometheus: TestPrometheus;
  const end = new AbortController();
  let loading: Promise<void> = Promise.resolve();

  beforeAll(async () => {
    ruyi = await newInstallation({ API_TOKEN: TOKEN });
    await ruyi.start();
    loading = load(ruyi.api, end.signal);
    const file = join(folder.path, 'token');
    writeFileSync(file, TOKEN);
    prometheus = await startPrometheus(binary ?? '', JSON.stringify(configFor(ruyi.api, file)));
  });
  afterAll(async () => {
    end.abort();
    await loading;
    await prometheus?.stop();
    await ruyi?.remove();
    folder.remove();
    expectNoLeaks();
  });

  const asked = async (path: string, query: Record<string, string>) =>
    z.object({ data: z.unknown() }).parse(await prometheus.ask(path, query)).data;

  test('gets a number for every query of the dashboard', async () => {
    const dashboard = Dashboard.parse(JSON.parse(page('deploy/grafana/ruyi.json')));
    const queries = await waitFor(() => queriesOf(dashboard, asked, SECONDS), {
      what: 'Prometheus to have read something',
      ...PATIENCE,
    });
    expect(queries.length).toBeGreaterThan(10);
    for (const query of queries) {
      await waitFor(async () => (await numbersOf(query)) > 0, { what: `an answer to ${query}`, ...PATIENCE });
    }
  });

  async function numbersOf(query: string): Promise<number> {
    const now = Date.now() / 1000;
    const range = { start: String(now - SHOWN_SECONDS), end: String(now), step: String(SECONDS.step) };
    const { result } = Series.parse(await asked('query_range', { query, ...range }));
    // A rate of nothing is no number, and no line on the graph.
    return result.flatMap(({ values }) => values).filter(([, value]) => Number.isFinite(Number(value))).length;
  }

  test('can evaluate every alert', async () => {
    const rules = async () => Rules.parse(await asked('rules', {})).groups.flatMap((group) => group.rules);
    await waitFor(async () => (await rules()).every(({ health }) => health !== 'unknown'), {
      what: 'every alert to be evaluated',
      ...PATIENCE,
    });
    const found = await rules();
    expect(found.length).toBeGreaterThan(5);
    expect(found.filter(({ health }) => health !== 'ok')).toEqual([]);
  });
});

/** The configuration of docker compose, with what is different here. */
function configFor(api: string, tokenFile: string): object {
  const config = Config.parse(parse(page('deploy/prometheus/prometheus.yml')));
  const every = { scrape_interval: `${SECONDS.scrape}s`, evaluation_interval: `${SECONDS.scrape}s` };
  return {
    ...config,
    global: { ...config.global, ...every },
    rule_files: [join(root, 'deploy/prometheus/alerts.yml')],
    scrape_configs: config.scrape_configs.map((scrape) => ({
      ...scrape,
      authorization: { ...scrape.authorization, credentials_file: tokenFile },
      static_configs: [{ targets: [new URL(api).host] }],
    })),
  };
}

/** Messages, a batch and a broadcast, again and again until the signal. */
async function load(url: string, signal: AbortSignal): Promise<void> {
  const ruyi = createClient({ url, token: TOKEN });
  const payload = textPayload({ type: 1, content: 'hello' });
  for (let round = 0; !signal.aborted; round++) {
    const uids = Array.from({ length: 50 }, (_, i) => `u${i}`);
    await Promise.all(uids.map((uid) => ruyi.send({ from_uid: 'ada', channel_id: uid, channel_type: 1, payload })));
    await ruyi.broadcast(uids, { message: { name: `Round ${round}`, from_uid: 'promo9', payload } });
  }
}
