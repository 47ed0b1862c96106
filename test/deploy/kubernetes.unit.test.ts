import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@ruyi/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { page, root } from '../docs/files.ts';
import { unknownSettings } from './settings.ts';

const FOLDER = 'deploy/kubernetes';
const APPS = ['api', 'worker', 'indexer', 'board'];
/** Where kubernetes-types has the type of each kind. */
const API_VERSIONS: Record<string, string> = {
  Deployment: 'apps/v1',
  Service: 'core/v1',
  PodDisruptionBudget: 'policy/v1',
  HorizontalPodAutoscaler: 'autoscaling/v2',
};

const Resource = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
});
type Resource = z.output<typeof Resource>;

const resourcesIn = (text: string): Resource[] =>
  parseAllDocuments(text).map((document) => Resource.parse(document.toJS()));

let folder: ReturnType<typeof tempDir>;
beforeAll(() => {
  folder = tempDir('kubernetes');
  symlinkSync(join(root, 'node_modules'), join(folder.path, 'node_modules'));
});
afterAll(() => folder.remove());

/** What the compiler says about resources as values of their types: a field that a type does not have is an error. */
function problemsOf(resources: Resource[]): string[] {
  const kinds = [...new Set(resources.map(({ kind }) => kind))];
  const text = [
    ...kinds.map((kind) => `import type { ${kind} } from 'kubernetes-types/${API_VERSIONS[kind]}';`),
    ...resources.map(({ kind, ...rest }, i) => `export const r${i}: ${kind} = ${JSON.stringify({ kind, ...rest })};`),
  ].join('\n');
  const file = join(folder.path, 'resources.ts');
  writeFileSync(file, text);
  const flags = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'esnext', '--moduleResolution', 'bundler'];
  const tsc = join(root, 'node_modules/.bin/tsc');
  const { status, stdout } = spawnSync(tsc, [...flags, file], { cwd: folder.path, encoding: 'utf8' });
  const problems = stdout.split('\n').filter((line) => line.includes('error TS'));
  expect(status === 0).toBe(problems.length === 0);
  return problems;
}

const all = APPS.flatMap((app) => resourcesIn(page(`${FOLDER}/${app}.yaml`)));

describe('the resources', () => {
  test('have only fields that Kubernetes knows', () => {
    expect(problemsOf(all)).toEqual([]);
  });

  test.each([
    ['an unknown field', 'api', 'periodSeconds: 10', 'periodSecond: 10'],
    [
      'a field of the pod in the deployment',
      'api',
      '  replicas: 2\n',
      '  replicas: 2\n  terminationGracePeriodSeconds: 5\n',
    ],
    ['a field of the container in the pod', 'worker', 'runAsNonRoot: true', 'readOnlyRootFilesystem: true'],
    ['a field of the pod in the container', 'board', '          ports:\n', '          fsGroup: 1\n          ports:\n'],
    ['a field of the target beside it', 'worker', '          type: AverageValue\n', ''],
    ['a number that is a text', 'indexer', 'containerPort: 5003', 'containerPort: "5003"'],
    ['a text that is a number', 'worker', 'value: "5003"', 'value: 5003'],
    ['another version', 'api', 'apiVersion: policy/v1', 'apiVersion: policy/v1beta1'],
  ])('are refused with %s', (_, app, good, bad) => {
    const text = page(`${FOLDER}/${app}.yaml`);
    expect(text).toContain(good);
    expect(problemsOf(resourcesIn(text.replace(good, bad)))).not.toEqual([]);
  });
});

const Labels = z.record(z.string(), z.string());
const Probe = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }) });
const Container = z.object({
  image: z.literal('ruyi'),
  command: z.array(z.string()),
  env: z.array(z.object({ name: z.string(), value: z.string() })),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
  livenessProbe: Probe,
  readinessProbe: Probe,
  resources: z.object({ requests: z.record(z.string(), z.string()), limits: z.record(z.string(), z.string()) }),
  securityContext: z.object({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.object({ drop: z.tuple([z.literal('ALL')]) }),
  }),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
});
const Deployment = z.object({
  spec: z.object({
    selector: z.object({ matchLabels: Labels }),
    template: z.object({
      metadata: z.object({ labels: Labels }),
      spec: z.object({
        automountServiceAccountToken: z.literal(false),
        terminationGracePeriodSeconds: z.number(),
        securityContext: z.object({ runAsNonRoot: z.literal(true), runAsUser: z.number().min(1) }),
        containers: z.tuple([Container]),
        volumes: z.array(
          z.object({
            name: z.string(),
            secret: z.object({ items: z.array(z.object({ path: z.string() })) }).optional(),
          }),
        ),
      }),
    }),
  }),
});

describe.each(APPS)('%s', (app) => {
  const resources = resourcesIn(page(`${FOLDER}/${app}.yaml`));
  const { spec } = Deployment.parse(resources.find(({ kind }) => kind === 'Deployment'));
  const pod = spec.template.spec;
  const [container] = pod.containers;
  const env = new Map(container.env.map(({ name, value }) => [name, value]));

  test('starts an app that exists, with settings that exist', () => {
    expect(container.command).toEqual(['node', `apps/${app}/dist/main.js`]);
    expect(existsSync(join(root, `apps/${app}/src/main.ts`))).toBe(true);
    expect(unknownSettings([...env.keys()])).toEqual([]);
  });

  test('is probed on the port on which it listens', () => {
    const ports = new Map(container.ports.map(({ name, containerPort }) => [name, containerPort]));
    const listens = Number(env.get('HEALTH_PORT') ?? (app === 'board' ? 5002 : 5001));
    for (const [probe, path] of [
      [container.livenessProbe, '/livez'],
      [container.readinessProbe, '/readyz'],
    ] as const) {
      expect([probe.httpGet.path, ports.get(probe.httpGet.port)]).toEqual([path, listens]);
    }
  });

  test('has the time that it needs to stop', () => {
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(Number(env.get('DRAIN_SECONDS') ?? 0) + 10);
    expect(env.has('DRAIN_SECONDS')).toBe(app === 'api' || app === 'board');
  });

  test('reads its secrets from files that are mounted, and writes only into folders that are', () => {
    const mounts = new Map(container.volumeMounts.map(({ name, mountPath }) => [name, mountPath]));
    expect([...mounts.keys()].sort()).toEqual(pod.volumes.map(({ name }) => name).sort());
    const paths = pod.volumes.flatMap(({ name, secret }) =>
      (secret?.items ?? []).map(({ path }) => `${mounts.get(name)}/${path}`),
    );
    const files = [...env].filter(([name]) => name.endsWith('_FILE')).map(([, value]) => value);
    expect(files.sort()).toEqual(paths.sort());
    expect([...mounts.values()]).toEqual(expect.arrayContaining(['/data', '/tmp']));
  });

  test('is selected by what names it', () => {
    const labels = spec.template.metadata.labels;
    expect(spec.selector.matchLabels).toEqual(labels);
    const Selecting = z.object({ spec: z.object({ selector: z.union([z.object({ matchLabels: Labels }), Labels]) }) });
    for (const resource of resources.filter(({ kind }) => kind === 'Service' || kind === 'PodDisruptionBudget')) {
      const { selector } = Selecting.parse(resource).spec;
      expect(selector).toEqual(resource.kind === 'Service' ? labels : { matchLabels: labels });
    }
    expect(resources.some(({ kind }) => kind === 'PodDisruptionBudget')).toBe(app !== 'board');
  });
});

/** https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/ */
const Kustomization = z.strictObject({
  apiVersion: z.literal('kustomize.config.k8s.io/v1beta1'),
  kind: z.literal('Kustomization'),
  resources: z.array(z.string()),
  images: z.array(z.strictObject({ name: z.literal('ruyi'), newName: z.string(), newTag: z.string() })),
  configMapGenerator: z.array(z.strictObject({ name: z.literal('ruyi'), literals: z.array(z.string()) })),
});

test('kustomization.yaml lists every resource, and its settings exist', () => {
  const text = page(`${FOLDER}/kustomization.yaml`);
  const { resources, configMapGenerator } = Kustomization.parse(parse(text));
  const files = readdirSync(join(root, FOLDER)).filter((name) => !/^(kustomization|prometheus-adapter)\./.test(name));
  expect(resources.sort()).toEqual(files.sort());
  const names = configMapGenerator.flatMap(({ literals }) => literals.map((literal) => literal.split('=')[0] ?? ''));
  expect(unknownSettings(names)).toEqual([]);
  expect(Kustomization.safeParse(parse(text.replace('newTag:', 'tag:'))).success).toBe(false);
  expect(Kustomization.safeParse(parse(text.replace('    literals:', '    literal:'))).success).toBe(false);
});

/** https://github.com/kubernetes-sigs/prometheus-adapter/blob/master/docs/externalmetrics.md */
const Adapter = z.strictObject({
  rules: z.strictObject({
    external: z.array(
      z.strictObject({
        seriesQuery: z.string(),
        resources: z.strictObject({ namespaced: z.boolean() }),
        name: z.strictObject({ as: z.string() }),
        metricsQuery: z.string(),
      }),
    ),
  }),
});

test('the autoscaler asks for a metric that the adapter offers and Ruyi has', () => {
  const text = page(`${FOLDER}/prometheus-adapter.yaml`);
  const [rule] = Adapter.parse(parse(text)).rules.external;
  expect(Adapter.safeParse(parse(text.replace('      resources:', '      resource:'))).success).toBe(false);
  const metric = rule?.seriesQuery ?? '';
  expect(rule?.name.as).toBe(metric);
  expect(page('docs/metrics.md')).toContain(`| \`${metric}{kind}\``);
  const scaler = JSON.stringify(all.find(({ kind }) => kind === 'HorizontalPodAutoscaler'));
  const asked = [...scaler.matchAll(/"metric":\{"name":"(\w+)","selector":\{"matchLabels":\{"kind":"(\w+)"/g)];
  expect(asked.map(([, name, kind]) => [name, kind])).toEqual([
    [metric, 'fanout'],
    [metric, 'send'],
  ]);
  expect(scaler).toContain('"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"ruyi-worker"}');
});
