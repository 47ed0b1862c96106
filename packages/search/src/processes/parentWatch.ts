// A thread of a search process that ends the process when its parent is gone or when it takes too much memory. The main
// thread may be inside SQLite or a long computation, where it hears neither a signal handler nor its channel.
import { workerData } from 'node:worker_threads';

const EVERY_MS = 250;
/** Far above what any search needs: the heap is bounded by itself, this bounds what lies outside of it. */
const MOST_MEMORY = 768 * 1024 * 1024;

const parent = Number(workerData);
setInterval(() => {
  if (process.ppid !== parent || process.memoryUsage.rss() > MOST_MEMORY) process.kill(process.pid, 'SIGKILL');
}, EVERY_MS);
