import { type Config, parseRedisAddress, shownAddress, tokensOf } from '@ruyi/config';

export interface Running {
  config: Config;
  env: Record<string, string | undefined>;
  /** what the first API and the board reported; PORT=0 lets the system choose */
  api?: Record<string, unknown> | undefined;
  board: Record<string, unknown>;
  logs: string;
}

/** {"type":1,"content":"你好"} */
const HELLO = 'eyJ0eXBlIjoxLCJjb250ZW50Ijoi5L2g5aW9In0=';

/** What an operator sees once everything serves. */
export function banner({ config, env, api = {}, board, logs }: Running): string {
  const apiUrl = webAddress(api, config.host, config.port);
  const token = config.apiToken === '' ? '' : ` -H "Authorization: Bearer ${tokenForShell(config, env)}"`;
  const hello = `{"channel_id":"hello","channel_type":2,"payload":"${HELLO}"}`;
  return [
    'Ruyi is running. Ctrl-C stops it.',
    `  API     ${apiUrl}`,
    `  board   ${webAddress(board, config.boardHost, config.boardPort)}`,
    `  search  ${config.meiliUrl === '' ? 'embedded' : `Meilisearch at ${withoutSecrets(config.meiliUrl)}`}`,
    ...(config.redisUrl === '' ? [] : [`  redis   ${shownAddress(parseRedisAddress(config.redisUrl))}`]),
    `  data    ${config.dataDir}`,
    `  logs    ${logs}`,
    `  try     curl -s ${apiUrl}/message/send${token} -d '${hello}'`,
  ].join('\n');
}

/** What a shell makes the API token from: it is not printed itself. */
function tokenForShell({ apiToken }: Config, env: Running['env']): string {
  if (env.API_TOKEN_FILE) return `$(cut -d, -f1 '${env.API_TOKEN_FILE}')`;
  return tokensOf(apiToken).length > 1 ? `\${API_TOKEN%%,*}` : '$API_TOKEN';
}

/** The address that the app reported, or else the configured one. One that listens everywhere is shown as localhost. */
function webAddress(reported: Record<string, unknown>, host: string, port: number): string {
  if (typeof reported.address === 'string' && /^https?:/.test(reported.address)) return reported.address;
  const shown = host === '0.0.0.0' || host === '::' || host === '[::]' ? 'localhost' : host;
  const bracketed = shown.includes(':') && !shown.startsWith('[') ? `[${shown}]` : shown;
  return `http://${bracketed}:${typeof reported.port === 'number' ? reported.port : port}`;
}

/** Hides the credentials in an address: passwords do not belong on a terminal. */
export const withoutSecrets = (url: string): string => url.replace(/\/\/[^/]*@/, '//…@');
