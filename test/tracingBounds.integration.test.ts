import { createLog, startTracing } from '@ruyi/telemetry';
import { expectNoLeaks, freePort, waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { otlpReceiver } from './otlpReceiver.ts';

const REQUESTS = 10_000;
/** What waits, and what is being exported. */
const MOST = 2048 + 512;
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

test('while the collector is away a bounded number of spans waits for it, and it gets them when it is back', async () => {
  process.env.OTEL_BSP_SCHEDULE_DELAY = '100';
  const port = await freePort();
  const settings = { otelEndpoint: `http://127.0.0.1:${port}`, otelShare: 0 };
  const tracing = await startTracing(settings, { role: 'test', version: '1' }, createLog('test', 'silent'));
  if (tracing === undefined) return expect.fail('tracing is off');
  const asked = (route: string, headers: Record<string, string>) =>
    tracing.request({ method: 'POST', headers }, (answered) => answered({ route, status: 200 }));
  for (let i = 0; i < REQUESTS; i++) asked('/asked-for', { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` });
  asked('/not-sampled', {});
  asked('/refused', { traceparent: `00-${TRACE}-00f067aa0ba902b7-00` });
  const collector = await otlpReceiver(port);
  await waitFor(() => collector.spans.length > 0, { what: 'spans to arrive', deadlineMs: 30_000 });
  await tracing.close();
  expect(collector.spans.length).toBeLessThanOrEqual(MOST);
  expect(new Set(collector.spans.map(({ name }) => name))).toEqual(new Set(['POST /asked-for']));
  await collector.close();
  expectNoLeaks();
});
