import { createClient, type RuyiClient, RuyiError } from '@ruyi/client';
import { loadConfig, tokensOf } from '@ruyi/config';
import { StartError } from '@ruyi/process';

/** A command says within 5 s that nothing answers. */
const FIRST_ANSWER_SECONDS = 4;
/** How long a command that has begun waits for an API that restarts. */
const RETRY_SECONDS = 120;

/**
 * A client of the API at RUYI_URL, which has answered.
 * @throws ConfigError, or StartError if nothing answers, or Redis does not
 */
export async function openApi(env: NodeJS.ProcessEnv): Promise<RuyiClient> {
  const { ruyiUrl: url, apiToken } = loadConfig(env);
  const [token = ''] = tokensOf(apiToken);
  const probe = createClient({ url, token, retrySeconds: 0, timeoutSeconds: FIRST_ANSWER_SECONDS });
  const { status } = await probe.health().catch((error: unknown) => {
    const reason =
      error instanceof RuyiError && error.code !== 'unreachable' ? 'what answers is not Ruyi' : reasonOf(error);
    throw new StartError(`RUYI_URL=${url}: no API answers (${reason}); start it (npm start) or correct this`);
  });
  if (status === 'down')
    throw new StartError(`RUYI_URL=${url}: the API answers, but its Redis does not; see GET /health`);
  return createClient({ url, token, retrySeconds: RETRY_SECONDS });
}

const reasonOf = (error: unknown): string =>
  (error instanceof Error ? /\((.*)\)$/.exec(error.message)?.[1] : undefined) ?? String(error);
