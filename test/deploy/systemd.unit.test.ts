import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { page, root } from '../docs/files.ts';
import { unknownSettings } from './settings.ts';

/** systemd ignores a directive that it does not know, or that stands in another section, and starts the unit without it. */

const YES = /^yes$/;
const SECONDS = /^\d+$/;
const TEXT = /^\S.*$/;
/** What each directive may be here: man systemd.unit, systemd.service, systemd.exec, systemd.kill, systemd.resource-control. */
const DIRECTIVES: Record<string, Record<string, RegExp>> = {
  Unit: {
    Description: TEXT,
    After: /^[\w-]+\.target$/,
    Wants: /^[\w-]+\.target$/,
    StartLimitIntervalSec: SECONDS,
  },
  Service: {
    Type: /^exec$/,
    User: /^ruyi$/,
    Group: /^ruyi$/,
    WorkingDirectory: /^\//,
    ExecStart: /^\/usr\/bin\/node apps\/\w+\/dist\/main\.js$/,
    Restart: /^always$/,
    RestartSec: SECONDS,
    Nice: /^\d+$/,
    EnvironmentFile: /^-\/etc\/ruyi\/ruyi\.env$/,
    Environment: /^[A-Z_]+=\S+$/,
    LoadCredential: /^[A-Z_]+:\/etc\/ruyi\/[\w-]+$/,
    KillSignal: /^SIGTERM$/,
    TimeoutStopSec: SECONDS,
    NoNewPrivileges: YES,
    ProtectSystem: /^strict$/,
    ProtectHome: YES,
    PrivateTmp: YES,
    PrivateDevices: YES,
    ProtectKernelTunables: YES,
    ProtectKernelModules: YES,
    ProtectKernelLogs: YES,
    ProtectControlGroups: YES,
    ProtectClock: YES,
    ProtectHostname: YES,
    RestrictNamespaces: YES,
    RestrictRealtime: YES,
    RestrictSUIDSGID: YES,
    LockPersonality: YES,
    RestrictAddressFamilies: /^AF_UNIX AF_INET AF_INET6$/,
    CapabilityBoundingSet: /^$/,
    AmbientCapabilities: /^$/,
    SystemCallArchitectures: /^native$/,
    SystemCallFilter: /^@system-service$/,
    UMask: /^0077$/,
    StateDirectory: /^ruyi$/,
    StateDirectoryMode: /^0700$/,
    ReadWritePaths: /^\/var\/lib\/ruyi$/,
  },
  Install: { WantedBy: /^multi-user\.target$/ },
};
const HARDENING = Object.entries(DIRECTIVES.Service ?? {}).flatMap(([name, rule]) =>
  rule === YES || /^(ProtectSystem|ReadWritePaths|CapabilityBoundingSet|SystemCallFilter|UMask)$/.test(name)
    ? [name]
    : [],
);

interface Line {
  section: string;
  name: string;
  value: string;
}

function linesOf(text: string): Line[] {
  let section = '';
  return text.split('\n').flatMap((line) => {
    if (line === '' || line.startsWith('#')) return [];
    const [, header] = /^\[(\w+)\]$/.exec(line) ?? [];
    if (header !== undefined) section = header;
    if (header !== undefined) return [];
    const [, name = line, value = ''] = /^(\w+)=(.*)$/.exec(line) ?? [];
    return [{ section, name, value }];
  });
}

const problemsOf = (text: string): string[] =>
  linesOf(text)
    .filter(({ section, name, value }) => DIRECTIVES[section]?.[name]?.test(value) !== true)
    .map(({ section, name, value }) => `[${section}] ${name}=${value}`);

const FOLDER = 'deploy/systemd';
const FILES = readdirSync(join(root, FOLDER)).map((name) => `${FOLDER}/${name}`);

test('there is a unit for each app', () => {
  expect(FILES.map((file) => file.replace(`${FOLDER}/`, '')).sort()).toEqual([
    'ruyi-api.service',
    'ruyi-board.service',
    'ruyi-indexer.service',
    'ruyi-worker@.service',
  ]);
});

describe.each(FILES)('%s', (file) => {
  const text = page(file);
  const lines = linesOf(text);
  const values = (name: string) => lines.filter((line) => line.name === name).map(({ value }) => value);

  test('has only directives that systemd knows, each in its section', () => {
    expect(problemsOf(text)).toEqual([]);
  });

  test.each([
    ['an unknown directive', 'ProtectHome=', 'ProtectHomes='],
    ['a directive in another section', '[Service]\n', 'StartLimitIntervalSec=0\n[Service]\nStartLimitIntervalSec=0\n'],
    ['a directive of another section', '[Unit]\n', '[Unit]\nTimeoutStopSec=15\n'],
    ['a value that means nothing', 'ProtectSystem=strict', 'ProtectSystem=strictly'],
    ['a line that is no directive', 'PrivateTmp=yes', 'PrivateTmp yes'],
  ])('is refused with %s', (_, good, bad) => {
    expect(text).toContain(good);
    expect(problemsOf(text.replace(good, bad))).not.toEqual([]);
  });

  test('is hardened', () => {
    const names = lines.map(({ name }) => name);
    expect(HARDENING.length).toBeGreaterThan(15);
    expect(HARDENING.filter((name) => !names.includes(name))).toEqual([]);
  });

  test('starts an app that exists, with settings that exist and secrets from files', () => {
    const [, app = ''] = /apps\/(\w+)\//.exec(values('ExecStart')[0] ?? '') ?? [];
    expect(existsSync(join(root, `apps/${app}/src/main.ts`))).toBe(true);
    const environment = new Map(values('Environment').map((value) => [value.split('=')[0] ?? '', value]));
    expect(unknownSettings([...environment.keys()])).toEqual([]);
    const credentials = values('LoadCredential').map((value) => value.split(':')[0] ?? '');
    expect(credentials).toContain('REDIS_URL');
    for (const name of credentials) expect(environment.get(`${name}_FILE`)).toBe(`${name}_FILE=%d/${name}`);
  });

  test('gives it the time that it needs to stop', () => {
    const [, drain = '0'] = /DRAIN_SECONDS=(\d+)/.exec(values('Environment').join('\n')) ?? [];
    expect(Number(values('TimeoutStopSec')[0])).toBeGreaterThan(Number(drain) + 10);
    expect(Number(drain) > 0).toBe(/api|board/.test(file));
  });
});
