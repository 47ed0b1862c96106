import {
  Counter,
  createMetrics,
  Gauge,
  Histogram,
  type ProcessMetrics,
  renderMetrics,
  snapshotOf,
} from '@ruyi/telemetry';
import { describe, expect, test } from 'vitest';

/** The series of one metric in a Prometheus text, without the name of their process. */
const seriesOf = (text: string, metric: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith(metric))
    .map((line) => line.replace(/,?process="[^"]*"/, '').replace('{}', ''));

let processes = 0;
const self = (role: string) => ({ name: `${role}-${++processes}`, role, version: '1.2.3', host: 'box' });

/** A process that has stored messages. */
function worker(stored: number): ProcessMetrics {
  const metrics = createMetrics(self('worker'));
  const registers = [metrics.registry];
  const options = { name: 'ruyi_stored_total', help: 'stored', labelNames: ['kind'], registers };
  new Counter(options).inc({ kind: 'send' }, stored);
  new Gauge({ name: 'ruyi_lanes', help: 'lanes', registers }).set(stored);
  new Histogram({ name: 'ruyi_seconds', help: 'seconds', buckets: [1, 10], registers }).observe(stored);
  return metrics;
}
const rendered = async (...processes: ProcessMetrics[]) =>
  renderMetrics(await Promise.all(processes.map(({ registry }) => snapshotOf(registry))));

describe('the metrics of a process', () => {
  test('carry its name, and say what it is', async () => {
    const [one, other] = [worker(1), worker(1)];
    expect(other.process).not.toBe(one.process);
    expect(await rendered(one)).toContain(
      `ruyi_process_info{role="worker",version="1.2.3",host="box",process="${one.process}"} 1`,
    );
    const series = (await rendered(one)).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(series.length).toBeGreaterThan(20);
    expect(series.filter((line) => !line.includes(`process="${one.process}"`))).toEqual([]);
  });

  test('hold those of Node and of the process, in registries that share nothing', async () => {
    const text = await rendered(createMetrics(self('api')));
    for (const metric of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_seconds',
    ]) {
      expect(seriesOf(text, `${metric}{`)).toHaveLength(1);
    }
    expect(text).not.toContain('ruyi_stored_total');
  });
});

describe('snapshots of many processes', () => {
  test('become one text, in which each has its own series under one help and one type', async () => {
    const [one, other] = [worker(3), worker(5)];
    const text = await rendered(one, other);
    for (const [{ process }, count] of [
      [one, 3],
      [other, 5],
    ] as const) {
      expect(text).toMatch(new RegExp(`^ruyi_stored_total\\{kind="send",process="${process}"\\} ${count}$`, 'm'));
      expect(text).toMatch(new RegExp(`^ruyi_lanes\\{process="${process}"\\} ${count}$`, 'm'));
      expect(text).toMatch(new RegExp(`^ruyi_seconds_sum\\{process="${process}"\\} ${count}$`, 'm'));
    }
    expect(text.match(/^# TYPE ruyi_stored_total counter$/gm)).toHaveLength(1);
    expect(text.match(/^# HELP ruyi_stored_total stored$/gm)).toHaveLength(1);
  });

  test('lose nothing of a histogram', async () => {
    const text = await rendered(worker(5));
    expect(seriesOf(text, 'ruyi_seconds')).toEqual([
      'ruyi_seconds_bucket{le="1"} 0',
      'ruyi_seconds_bucket{le="10"} 1',
      'ruyi_seconds_bucket{le="+Inf"} 1',
      'ruyi_seconds_sum 5',
      'ruyi_seconds_count 1',
    ]);
  });

  test('of none are an empty text', async () => {
    expect((await renderMetrics([])).trim()).toBe('');
  });
});
