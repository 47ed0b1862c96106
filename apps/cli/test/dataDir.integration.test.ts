import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempDir } from '@ruyi/testkit';
import { afterEach, beforeEach, describe, expect, type TestContext, test } from 'vitest';
import { openDataDir } from '../src/commands/up/dataDir.ts';
import { AS_NOBODY, canBeNobody } from './otherUsers.ts';

const UP = fileURLToPath(new URL('./fixtures/up.mjs', import.meta.url));
const NOBODY = 65_534;

let folder: ReturnType<typeof tempDir>;
let dataDir: string;
beforeEach(() => {
  folder = tempDir('modes');
  chmodSync(folder.path, 0o755);
  dataDir = join(folder.path, 'data');
  mkdirSync(dataDir);
});
afterEach(() => {
  folder.remove();
});

const modeOf = (path: string) => statSync(path).mode & 0o7777;
const add = (...names: string[]) => {
  for (const name of names) mkdirSync(join(dataDir, name));
};

test.each([
  ['a new one', () => rmSync(dataDir, { recursive: true })],
  ['an empty one', () => {}],
  ['one of an older version', () => add('run', 'redis', 'logs', 'search')],
  ['one of an older version to which something was added', () => add('run', 'redis', 'backups')],
  ['a separate disk', () => add('lost+found')],
])('%s is closed to others', (_, fill) => {
  fill();
  openDataDir(dataDir);
  expect(modeOf(dataDir)).toBe(0o700);
  for (const mode of [0o755, 0o777, 0o750, 0o701]) {
    chmodSync(dataDir, mode);
    openDataDir(dataDir);
    expect(modeOf(dataDir)).toBe(0o700);
  }
});

test("a folder that is closed already may hold anything, and files that are not Ruyi's keep their modes", () => {
  add('photos', 'run');
  const foreign = join(folder.path, 'foreign');
  writeFileSync(foreign, '', { mode: 0o644 });
  symlinkSync(foreign, join(dataDir, 'run', 'link'));
  for (const name of ['photos', 'run']) chmodSync(join(dataDir, name), 0o755);
  chmodSync(dataDir, 0o700);
  openDataDir(dataDir);
  expect([modeOf(join(dataDir, 'photos')), modeOf(join(dataDir, 'run')), modeOf(foreign)]).toEqual([
    0o755, 0o700, 0o644,
  ]);
  expect(readdirSync(dataDir).sort()).toEqual(['photos', 'run']);
});

test.each([
  ['a folder like /tmp', 0o1777],
  ['a home', 0o755],
])('%s, which holds other things, is refused and left as it is', (_, mode) => {
  add('photos', 'run');
  chmodSync(dataDir, mode);
  expect(() => openDataDir(dataDir)).toThrow(/^DATA_DIR=.*others can read it, and it holds other things \(photos\)/);
  expect(modeOf(dataDir)).toBe(mode);
});

describe.runIf(canBeNobody)('a start that cannot keep its data is one line that says why', () => {
  /** Runs `ruyi up`, which must refuse to start. */
  function refused(asNobody: boolean, DATA_DIR = dataDir): string {
    const command = asNobody ? ['setpriv', ...AS_NOBODY] : ['env'];
    const [program = '', ...args] = [...command, process.execPath, UP];
    const { status, stderr } = spawnSync(program, args, {
      encoding: 'utf8',
      env: { PATH: process.env.PATH ?? '', DATA_DIR, PORT: '0', BOARD_PORT: '0' },
    });
    expect(status).toBe(1);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    return stderr.trim();
  }

  /** Runs `work` on a small disk, and unmounts it afterwards. */
  function withDisk({ skip }: TestContext, options: string, work: () => void): void {
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `${options},mode=700`, 'tmpfs', dataDir]);
    if (mounted.status !== 0) {
      console.log('skipped: a start on a disk of its own; this machine lets nobody mount one');
      skip();
    }
    try {
      work();
    } finally {
      spawnSync('umount', [dataDir]);
    }
  }

  test('its own folder without the right to write', () => {
    chownSync(dataDir, NOBODY, NOBODY);
    chmodSync(dataDir, 0o500);
    expect(refused(true)).toMatch(/^DATA_DIR=.*: is read-only for this user \(uid 65534/);
  });

  test('a folder that cannot be created', () => {
    expect(refused(true, join(dataDir, 'new'))).toMatch(/^DATA_DIR=.*: is read-only for this user \(uid 65534/);
  });

  test("another user's folder, whether root or an ordinary user starts it", () => {
    expect(refused(true)).toMatch(/^DATA_DIR=.*: is read-only for this user \(uid 65534, it belongs to uid 0\)/);
    chmodSync(dataDir, 0o777);
    expect(refused(true)).toMatch(/^DATA_DIR=.*: is not this user's \(it belongs to uid 0, this is uid 65534\)/);
    chownSync(dataDir, NOBODY, NOBODY);
    expect(refused(false)).toMatch(/^DATA_DIR=.*: is not this user's \(it belongs to uid 65534, this is uid 0\)/);
  });

  test('files in it that belong to another user', () => {
    add('run', 'redis');
    chownSync(dataDir, NOBODY, NOBODY);
    expect(refused(true)).toMatch(/^DATA_DIR=.*: is read-only for this user \(uid 65534\): .*\/(run|redis)/);
  });

  test('a read-only disk', (context) => {
    withDisk(context, 'ro,size=1m', () => expect(refused(false)).toMatch(/^DATA_DIR=.*: is read-only \(/));
  });

  test('a full disk', (context) => {
    withDisk(context, 'size=1m', () => {
      expect(() => writeFileSync(join(dataDir, 'large'), Buffer.alloc(2 ** 21))).toThrow('ENOSPC');
      expect(refused(false)).toMatch(/^DATA_DIR=.*: its disk is full/);
      // It leaves nothing behind that would take more space.
      expect(readdirSync(dataDir)).toEqual(['large']);
    });
  });
});
