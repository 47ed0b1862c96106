const USAGE = 'ruyi lanes [--json] | ruyi lanes <number of lanes of each kind, 1 to 64> [--json]';
const MOST_LANES = 64;

/**
 * `ruyi lanes`: shows the lanes, or changes their number while everything runs. Ctrl-C only stops watching: the workers go on
 * with a change that has begun. @returns the exit code
 */
export async function lanes(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const isJson = args.includes('--json');
  const [text, ...more] = args.filter((arg) => arg !== '--json');
  const wanted = text === undefined ? undefined : Number(text);
  const isNumber = text === undefined || /^\d{1,2}$/.test(text);
  if (more.length > 0 || !isNumber || wanted === 0 || (wanted ?? 1) > MOST_LANES) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const [{ openRedis }, { changeLanes, showLanes }] = await Promise.all([
    import('./connection.ts'),
    import('./changeLanes.ts'),
  ]);
  const { redis } = await openRedis(env);
  try {
    return await (wanted === undefined ? showLanes(redis, isJson) : changeLanes(redis, wanted, isJson));
  } finally {
    redis.disconnect();
  }
}
