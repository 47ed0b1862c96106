// A thread of a search process that ends the process when its parent is gone or when it takes too much memory. The main
// thread may be inside SQLite or a long computation, where it hears neither a signal handler nor its channel.
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
