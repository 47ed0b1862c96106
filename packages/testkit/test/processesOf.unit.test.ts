import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { processesOf, tempDir, waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';

test.runIf(process.platform === 'linux')(
  'a child without a program of its own is not taken for its parent',
  async () => {
    const folder = tempDir('processes');
    // A subshell is a copy of its shell for good; any other child is one until it starts its program.
    const shell = spawn('sh', ['-c', '(read line); true'], {
      env: { FOLDER: folder.path },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const exit = once(shell, 'exit');
    try {
      const found = await waitFor(() => {
        const processes = processesOf(folder.path);
        return processes.length === 2 && processes;
      });
      expect(found.find(({ pid }) => pid === shell.pid)).toMatchObject({ command: 'sh -c (read line); true' });
      expect(found.find(({ pid }) => pid !== shell.pid)).toMatchObject({ command: '(forked)' });
    } finally {
      shell.stdin.end();
      await exit;
      folder.remove();
    }
  },
);
