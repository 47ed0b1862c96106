import { parseArgs } from 'node:util';
import { loadConfig, tokensOf } from '@ruyi/config';
import { StartError } from '@ruyi/process';

const USAGE = `ruyi search --uid <uid> [--channel <channel_id>] [--type <channel_type>] [--from <uid>] [--limit <n>] [--json] <text>
`;
/** A command says within 5 s that nothing answers. */
const ANSWER_MS = 4500;

/**
 * `ruyi search`: searches as a user, through the API on this machine, so the result is what the user's client would
 * get.
 * @returns the exit code: 1 if nothing is found
 */
export async function search(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const given = requestOf(args);
  if (!given) {
    process.stderr.write(USAGE);
    return 2;
  }
  const { isJson, request } = given;
  const config = loadConfig(env);
  const [token] = tokensOf(config.apiToken);
  const host = config.host.includes(':') && !config.host.startsWith('[') ? `[${config.host}]` : config.host;
  const address = `http://${host}:${config.port}`;
  const response = await fetch(`${address}/plugins/wk.plugin.search/usersearch`, {
    method: 'POST',
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    body: JSON.stringify(request),
    signal: AbortSignal.timeout(ANSWER_MS),
  }).catch(() => {
    throw new StartError(`no API answers on ${address}: start it (npm start), or set HOST and PORT`);
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const { parseAnswer, readableText } = await import('./searchAnswer.ts');
  const answer = parseAnswer(bytes);
  if (!response.ok || !answer) {
    process.stderr.write(`${printable(answer?.msg ?? `the API answered ${response.status}`)}\n`);
    return response.status === 400 ? 2 : 1;
  }
  if (isJson) {
    process.stdout.write(`${bytes.toString().trimEnd()}\n`);
    return answer.total > 0 ? 0 : 1;
  }
  for (const message of answer.messages) {
    const time = new Date(message.timestamp * 1000).toISOString();
    const seqInLog = printable(`${message.channel_type}:${message.channel_id} #${message.message_seq}`);
    const from = printable(message.from_uid || '____system');
    process.stdout.write(`${time}\t${seqInLog}\t${from}\t${marked(printable(readableText(message.payload)))}\n`);
  }
  const { total, messages, truncated } = answer;
  const shown = messages.length < total ? `, ${messages.length} shown` : '';
  process.stdout.write(`${total} found${shown}${truncated ? ' (the messages are large)' : ''}\n`);
  return total > 0 ? 0 : 1;
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
        json: { type: 'boolean' },
      },
    });
    if (values.uid === undefined || positionals.length === 0) return undefined;
    if ([values.type, values.limit].some((number) => number !== undefined && !/^\d+$/.test(number))) return undefined;
    const request = {
      uid: values.uid,
      payload: { content: positionals.join(' ') },
      highlights: ['payload.content'],
      ...(values.channel === undefined ? {} : { channel_id: values.channel }),
      ...(values.type === undefined ? {} : { channel_type: Number(values.type) }),
      ...(values.from === undefined ? {} : { from_uid: values.from }),
      ...(values.limit === undefined ? {} : { limit: Number(values.limit) }),
    };
    return { request, isJson: values.json === true };
  } catch {
    return undefined;
  }
}

const CONTROL = /\p{Cc}/gu;

/** The text on one line, without control characters. */
const printable = (text: string) => text.replace(/\s+/g, ' ').replace(CONTROL, '');

/** Matches are inverse on a terminal and in guillemets elsewhere. */
function marked(text: string): string {
  const [on = '', off = ''] = process.stdout.isTTY ? ['\x1b[7m', '\x1b[27m'] : ['«', '»'];
  return text.replaceAll('<mark>', on).replaceAll('</mark>', off);
}
