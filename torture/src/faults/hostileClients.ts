import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Fault, FaultContext } from './fault.ts';

/** Fewer in the short run, which has no time to open more. */
const IDLE = { least: 1500, most: 10_000, longMs: 15_000 };
const OPENED_AT_ONCE = 500;
const LORISES = 150;
const ENDLESS = 20;
const TICK_MS = 250;

const START = 'POST /message/send HTTP/1.1\r\nHost: localhost\r\n';
const payload = Buffer.from('{"content":"hostile"}').toString('base64');
const group = { channel_type: 2, payload };

/** Bodies that must be refused, each for a different reason. */
const REFUSED: [what: string, body: string][] = [
  ['deep JSON', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
  ['deep arrays', `{"subscribers":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
  ['fields only in __proto__', `{"__proto__":${JSON.stringify({ ...group, channel_id: 'g0' })}}`],
  ['a newline in an id', JSON.stringify({ ...group, channel_id: 'g0\n' })],
  ['a key in an id', JSON.stringify({ ...group, channel_id: 'r:{1}:log:1:a@b' })],
  ['a NUL in an id', JSON.stringify({ ...group, channel_id: 'g0\0' })],
  ['a lone surrogate in an id', `{"channel_id":"\\ud800","channel_type":2,"payload":"${payload}"}`],
  ['an object as an id', JSON.stringify({ ...group, channel_id: { toString: 'g0' } })],
  ['an array as an id', JSON.stringify({ ...group, channel_id: ['g0'] })],
  ['not JSON', 'channel_id=g0&channel_type=2'],
  ['JSON that ends early', '{"channel_id":"g0","channel_type":2,"payload":"'],
];

/** Hostile clients. Nobody else may notice them, and nothing that they send may be stored. */
export const hostileClients: Fault = async (context) => {
  const { system, random, forMs, count } = context;
  const until = performance.now() + forMs;
  const sockets: Socket[] = [];
  const open = (first = '') => {
    const port = system.apiPorts[sockets.length % system.apiPorts.length] ?? 0;
    const socket = connect({ port, host: '127.0.0.1' });
    // The server may close the connection at any time.
    socket.on('error', () => {});
    socket.on('data', () => {});
    if (first !== '') socket.write(first);
    sockets.push(socket);
    return socket;
  };
  const idle = forMs < IDLE.longMs ? IDLE.least : IDLE.most;
  for (let i = 1; i <= idle; i++) {
    open();
    // More connections than the listen queue holds would briefly keep others out, which is not the server's fault.
    if (i % OPENED_AT_ONCE === 0) await pause(TICK_MS / 5);
  }
  const lorises = Array.from({ length: LORISES }, () => open(START));
  const endless = Array.from({ length: ENDLESS }, () => open(`${START}Transfer-Encoding: chunked\r\n\r\n`));
  count('idle connections', idle);
  count('slow clients', LORISES + ENDLESS);
  try {
    do {
      for (const socket of lorises) if (socket.writable) socket.write('x');
      for (const socket of endless) if (socket.writable) socket.write(`400\r\n${'x'.repeat(1024)}\r\n`);
      open(`${START}X-Flood: ${'x'.repeat(64 * 1024)}\r\n\r\n`);
      open(`${START}${'X-Many: 1\r\n'.repeat(5000)}\r\n`);
      open(garbage(random, 4096));
      open(`${START}Content-Length: 2\r\n\r\n{}`.repeat(50) + garbage(random, 256));
      await sendRefused(context);
      count('hostile requests', 5);
      await pause(TICK_MS);
    } while (performance.now() < until);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
};

const garbage = (random: FaultContext['random'], length: number): string =>
  Buffer.from(Array.from({ length }, () => random.whole(0, 255))).toString('latin1');

/** Sends one of the bodies that must be refused as a complete request on a new connection. */
async function sendRefused({ system, random, findings }: FaultContext): Promise<void> {
  const [what, body] = random.pick([REFUSED[0] ?? ['', ''], ...REFUSED.slice(1)]);
  const port = system.apiPorts[random.whole(0, system.apiPorts.length - 1)] ?? 0;
  const response = await fetch(`http://127.0.0.1:${port}/message/send`, { method: 'POST', body }).catch(
    () => undefined,
  );
  if (response?.status !== 400) findings.add('wrong answer', `${what} was answered ${response?.status}, not 400`);
  await response?.arrayBuffer();
}
