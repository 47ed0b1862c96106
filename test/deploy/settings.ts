import { rows } from '../../packages/config/src/settings.ts';

/** The secrets that may come from a file (`API_TOKEN_FILE`). */
const SECRETS = ['API_TOKEN', 'BOARD_TOKEN', 'MEILI_API_KEY', 'REDIS_URL'];

/** Variables of other programs that a deployment sets. */
const OTHERS = ['NODE_ENV'];

/** Those of the names that are no setting. */
export function unknownSettings(names: string[]): string[] {
  const known = new Set([
    ...[...rows.values()].map(({ name }) => name),
    ...SECRETS.map((name) => `${name}_FILE`),
    ...OTHERS,
  ]);
  return names.filter((name) => !known.has(name));
}
