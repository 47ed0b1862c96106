import type { ScopeClause, SearchQuery } from '../searchQuery.ts';

/** Meilisearch's time grows with the square of the number of values in one IN. */
const VALUES_AT_ONCE = 500;

/** What every hit must satisfy. Elements are ANDed, those of an inner array are ORed. Keys are hex, so quoting is safe. */
export function filterOf(query: SearchQuery): (string | string[])[] {
  const filter: (string | string[])[] = [inChunks('audience', query.audience.map(quote))];
  if (query.anyOf) filter.push(query.anyOf.map(clause).filter((text) => text !== ''));
  if (query.payloadTypes.length > 0) filter.push(inChunks('payloadType', query.payloadTypes));
  if (query.from !== undefined) filter.push(`from = ${quote(query.from)}`);
  if (query.topic !== undefined) filter.push(`topic = ${quote(query.topic)}`);
  if (query.channelType !== undefined) filter.push(`channelType = ${query.channelType}`);
  if (query.startTime > 0) filter.push(`timestamp >= ${query.startTime}`);
  if (query.endTime > 0) filter.push(`timestamp <= ${query.endTime}`);
  filter.push(['expiresAt = 0', `expiresAt > ${query.now}`]);
  return filter;
}

const quote = (value: string) => `"${value}"`;

function inChunks(attribute: string, values: (string | number)[]): string[] {
  const chunks: string[] = [];
  for (let i = 0; i < values.length; i += VALUES_AT_ONCE) {
    chunks.push(`${attribute} IN [${values.slice(i, i + VALUES_AT_ONCE).join(', ')}]`);
  }
  return chunks;
}

/** An empty clause must not mean everything, and neither must a list of empty clauses. */
export const matchesNothing = (anyOf: ScopeClause[] | undefined): boolean =>
  anyOf?.every((one) => clause(one) === '') ?? false;

function clause({ from, audience, channel, channelId, channelType }: ScopeClause): string {
  const parts = Object.entries({ from, audience, channel, channelId })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} = ${quote(value ?? '')}`);
  if (channelType !== undefined) parts.push(`channelType = ${channelType}`);
  return parts.length === 0 ? '' : `(${parts.join(' AND ')})`;
}
