// A thread of a search process. It kills the process when its parent is gone or when it takes too much memory. The main
// thread cannot do so: inside SQLite or a long computation it runs no signal handler and reads no message.
import { workerData } from 'node:worker_threads';

const EVERY_MS = 250;

export interface Watched {
  /** the parent's process id */
  parent: number;
  /** resident memory of the process, in bytes */
  mostMemory: number;
}

const { parent, mostMemory }: Watched = workerData;
setInterval(() => {
  if (process.ppid !== parent || process.memoryUsage.rss() > mostMemory) process.kill(process.pid, 'SIGKILL');
}, EVERY_MS);
