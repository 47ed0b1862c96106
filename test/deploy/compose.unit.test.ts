import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { loadConfig } from '@ruyi/config';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { page, root } from '../docs/files.ts';
import { unknownSettings } from './settings.ts';

const FILE = page('docker-compose.yml');
const dclint = dirname(createRequire(import.meta.url).resolve('dclint/package.json'));
/** The schema of the Compose specification, which names its draft by an address that ajv does not know. */
const { $schema: _, ...schema } = JSON.parse(readFileSync(join(dclint, 'schemas/compose.schema.json'), 'utf8'));
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
      healthcheck: z.object({ test: z.array(z.string()).optional(), disable: z.boolean().optional() }),
      read_only: z.literal(true),
      cap_drop: z.tuple([z.literal('ALL')]),
      security_opt: z.tuple([z.literal('no-new-privileges:true')]),
      logging: z.object({ options: z.object({ 'max-size': z.string(), 'max-file': z.string() }) }),
      deploy: z.object({ resources: z.object({ limits: z.object({ memory: z.string(), pids: z.number() }) }) }),
      ports: z.array(z.string()).optional(),
      profiles: z.array(z.string()).optional(),
      volumes: z.array(z.string()).optional(),
    }),
  ),
  volumes: z.record(z.string(), z.null()),
});
/** The variables that the file takes from .env, each with its default. */
const taken = new Map([...FILE.matchAll(/\$\{([A-Z_]+)(?::-([^}]*))?/g)].map(([, name = '', value]) => [name, value]));
const EXAMPLE = page('.env.example');
const example = new Map([...EXAMPLE.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]));
const SECRETS = ['API_TOKEN', 'BOARD_TOKEN', 'MEILI_MASTER_KEY', 'REDIS_PASSWORD'];
/** As compose fills in variables: `${NAME:-default}`, `${NAME:?message}`, `${NAME}`, from the inside out. */
function filledIn(text: string, given: Map<string, string>): string {
  const next = text.replace(/\$\{([A-Z_]+)(?::([-?])([^${}]*))?\}/g, (_, name, mark, rest) => {
    return given.get(name) || (mark === '-' ? rest : '');
  });
  return next === text ? text : filledIn(next, given);
}

const { services, volumes } = Compose.parse(parse(FILE, { merge: true }));

describe('docker-compose.yml', () => {
  test('is what the Compose specification allows', () => {
    expect(problemsOf(FILE)).toEqual([]);
  });

  test.each([
    ['an unknown field', '  restart: unless-stopped', '  restarts: unless-stopped'],
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
      expect(healthcheck.test?.at(-1)).toContain(`http://127.0.0.1:${port}/readyz`);
    }
  });

  test('passes dclint', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(dclint, 'bin/dclint.cjs'), 'docker-compose.yml', '--max-warnings=0'],
      {
        cwd: root,
        encoding: 'utf8',
      },
    );
    expect([status, (stdout + stderr).trim()]).toEqual([0, '']);
  });

  test('asks every service that stays how it is', () => {
    const silent = Object.entries(services).filter(([, { healthcheck }]) => healthcheck.test === undefined);
    expect(silent.map(([name]) => name)).toEqual(['redis-cluster']);
  });

  test('takes exactly what .env.example names, and its defaults', () => {
    expect([...example.keys()].sort()).toEqual([...taken.keys()].sort());
    const differ = [...example].filter(([name, value]) => value !== '' && value !== (taken.get(name) ?? ''));
    expect(differ).toEqual([]);
    expect(
      [...example]
        .filter(([, value]) => value === '')
        .map(([name]) => name)
        .sort(),
    ).toEqual([...SECRETS, 'MAX_BACKLOG', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'REDIS_URL'].sort());
  });

  test('with a filled in .env.example every app has settings that it takes', () => {
    const given = new Map([...example, ...SECRETS.map((name): [string, string] => [name, '0123456789abcdef'])]);
    for (const name of ['api', 'worker', 'indexer', 'board']) {
      const environment = Object.entries(services[name]?.environment ?? {});
      const config = loadConfig(Object.fromEntries(environment.map(([key, value]) => [key, filledIn(value, given)])));
      expect(config).toMatchObject({
        redisUrl: 'redis://:0123456789abcdef@redis:6379',
        meiliApiKey: '0123456789abcdef',
      });
    }
  });

  test('runs no Redis without the password', () => {
    const servers = Object.values(services).filter(({ command = [] }) => command.includes('redis-server'));
    expect(servers.length).toBe(7);
    for (const { command = [], environment } of servers) {
      const password = filledIn(
        command[command.indexOf('--requirepass') + 1] ?? '',
        new Map([['REDIS_PASSWORD', 'p']]),
      );
      expect(password).toBe('p');
      expect(environment?.REDISCLI_AUTH).toContain('REDIS_PASSWORD');
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
