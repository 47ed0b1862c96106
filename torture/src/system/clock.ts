/**
 * Loaded into a process before its program (`node --import`). SIGUSR2 sets its clock back by an hour, and the next SIGUSR2
 * forward again.
 */
const HOUR_MS = 3_600_000;

const now = Date.now;
let shift = 0;
Date.now = () => now() + shift;
process.on('SIGUSR2', () => {
  shift = shift === 0 ? -HOUR_MS : 0;
});
