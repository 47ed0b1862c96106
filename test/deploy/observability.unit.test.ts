import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { findPromtool } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { captures, page, root } from '../docs/files.ts';

/** Alerts and the dashboard: what they ask for exists, and each alert leads to a paragraph that says what to do. */

const Alerts = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string(),
          expr: z.string(),
          labels: z.object({ severity: z.enum(['page', 'ticket']) }),
          annotations: z.object({ summary: z.string(), runbook: z.string() }),
        }),
      ),
    }),
  ),
});
const Tests = z.object({
  tests: z.array(
    z.object({ alert_rule_test: z.array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })) }),
  ),
});
const Dashboard = z.object({
  panels: z.array(z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })) })),
});

const alerts = Alerts.parse(parse(page('deploy/prometheus/alerts.yml'))).groups.flatMap(({ rules }) => rules);
const dashboard = Dashboard.parse(JSON.parse(page('deploy/grafana/ruyi.json')));
const promtool = findPromtool();
if (promtool === undefined) console.log('skipped: alerts by promtool; it is not installed');

const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replace(/ /g, '-');

test('each alert leads to a paragraph of docs/operating.md', () => {
  const anchors = captures(page('docs/operating.md'), /^## (.+)$/gm).map(anchorOf);
  for (const { alert, annotations } of alerts) {
    const [file, anchor] = annotations.runbook.split('#');
    expect([alert, file, anchors.includes(anchor ?? '')]).toEqual([alert, 'docs/operating.md', true]);
  }
});

test('what alerts and the dashboard ask for is in docs/metrics.md, or is one of Node.js', () => {
  const known = captures(page('docs/metrics.md'), /(ruyi_[a-z_]+)/g);
  const queries = [
    ...alerts.map(({ expr }) => expr),
    ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ];
  for (const query of queries) {
    const names = captures(query, /\b((?:ruyi|nodejs|process)_[a-z0-9_]+)/g);
    expect([query, names.length > 0]).toEqual([query, true]);
    const own = names.filter((name) => name.startsWith('ruyi_')).map((name) => name.replace(/_(bucket|count)$/, ''));
    expect([query, own.filter((name) => !known.includes(name))]).toEqual([query, []]);
  }
});

test('each alert fires in a rule test, and none does while all is well', () => {
  const cases = Tests.parse(parse(page('deploy/prometheus/alerts.test.yml'))).tests.flatMap(
    (one) => one.alert_rule_test,
  );
  const named = (fires: boolean) =>
    [...new Set(cases.filter((one) => one.exp_alerts.length > 0 === fires).map(({ alertname }) => alertname))].sort();
  const all = alerts.map(({ alert }) => alert).sort();
  expect([named(true), named(false)]).toEqual([all, all]);
});

test.runIf(promtool).each([
  ['check', 'alerts.yml'],
  ['test', 'alerts.test.yml'],
])('promtool %s rules %s', (what, file) => {
  const run = spawnSync(promtool ?? '', [what, 'rules', file], {
    cwd: join(root, 'deploy/prometheus'),
    encoding: 'utf8',
  });
  expect([run.status, run.stdout + run.stderr]).toEqual([0, expect.stringContaining('SUCCESS')]);
});
