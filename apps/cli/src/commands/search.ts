import { parseArgs } from 'node:util';
import { loadConfig } from '@ruyi/config';
import { StartError } from './up/startError.ts';

const USAGE = `ruyi search --uid <uid> [--channel <channel_id>] [--type <channel_type>] [--from <uid>] [--limit <n>] <text>
`;

/**
 * `ruyi search`: what a user finds, through the API that runs here, so that it is what the user's client would get.
 * @returns the exit code: 1 where nothing is found
 */
export async function search(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const request = requestOf(args);
  if (!request) {
    process.stderr.write(USAGE);
    return 2;
  }
  const config = loadConfig(env);
  const host = config.host.includes(':') && !config.host.startsWith('[') ? `[${config.host}]` : config.host;
  const address = `http://${host}:${config.port}`;
  const response = await fetch(`${address}/plugins/wk.plugin.search/usersearch`, {
    method: 'POST',
    headers: config.apiToken === '' ? {} : { authorization: `Bearer ${config.apiToken}` },
    body: JSON.stringify(request),
  }).catch(() => {
    throw new StartError(`no API answers on ${address}: start it (npm start), or set HOST and PORT`);
  });
  const answer: Answer = JSON.parse(await response.text());
  if (!response.ok) {
    process.stderr.write(`${answer.msg ?? `the API answered ${response.status}`}\n`);
    return 1;
  }
  const { messages = [], total = 0 } = answer;
  for (const message of messages) {
    const at = new Date(message.timestamp * 1000).toISOString();
    const place = `${message.channel_type}:${message.channel_id} #${message.message_seq}`;
    process.stdout.write(`${at}\t${place}\t${message.from_uid || '____system'}\t${textOf(message.payload)}\n`);
  }
  process.stdout.write(`${total} found${messages.length < total ? `, ${messages.length} shown` : ''}\n`);
  return total > 0 ? 0 : 1;
}

interface Answer {
  msg?: string;
  total?: number;
  messages?: {
    timestamp: number;
    channel_id: string;
    channel_type: number;
    message_seq: number;
    from_uid: string;
    payload: unknown;
  }[];
}

function requestOf(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        uid: { type: 'string' },
        channel: { type: 'string' },
        type: { type: 'string' },
        from: { type: 'string' },
        limit: { type: 'string' },
      },
    });
    if (values.uid === undefined || positionals.length === 0) return undefined;
    return {
      uid: values.uid,
      payload: { content: positionals.join(' ') },
      highlights: ['payload.content'],
      ...(values.channel === undefined ? {} : { channel_id: values.channel }),
      ...(values.type === undefined ? {} : { channel_type: Number(values.type) }),
      ...(values.from === undefined ? {} : { from_uid: values.from }),
      ...(values.limit === undefined ? {} : { limit: Number(values.limit) }),
    };
  } catch {
    return undefined;
  }
}

const CONTROL = /\p{Cc}/gu;

/** On one line and without control characters; hits are shown inverse, between guillemets where it is no terminal. */
function textOf(payload: unknown): string {
  const object = typeof payload === 'string' ? JSON.parse(Buffer.from(payload, 'base64').toString('utf8')) : payload;
  const { content } = object as { content?: unknown };
  const text = typeof content === 'string' ? content : JSON.stringify(object);
  const [on, off] = process.stdout.isTTY ? ['\x1b[7m', '\x1b[27m'] : ['«', '»'];
  return text
    .replace(/\s+/g, ' ')
    .replace(CONTROL, '')
    .replaceAll('<mark>', on ?? '')
    .replaceAll('</mark>', off ?? '');
}
