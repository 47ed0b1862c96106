// An API process whose HTTP layer has other bounds than those of main.ts: HTTP_LIMITS, in JSON.
import { loadConfig } from '@ruyi/config';
import { runApp } from '@ruyi/process';
import { createLog } from '@ruyi/telemetry';
import { startApi } from '../dist/api.js';
import { HTTP_LIMITS } from '../dist/http/limits.js';

await runApp({
  name: 'API',
  expected: [],
  async start(readiness) {
    const config = loadConfig(process.env);
    const log = createLog('api', config.logLevel);
    const api = await startApi(config, log, readiness, { ...HTTP_LIMITS, ...JSON.parse(process.env.HTTP_LIMITS) });
    return { log, opened: [{ name: 'api', close: api.close }], details: { address: api.address } };
  },
});
