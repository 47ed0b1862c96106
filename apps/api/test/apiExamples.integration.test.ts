import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { testSystem } from './harness.ts';

/** The examples of docs/api.md: each shell block is followed by the JSON that it prints. */

const run = promisify(execFile);
const PAGE = readFileSync(new URL('../../../docs/api.md', import.meta.url), 'utf8');
/** What differs from one installation to the next: only its type is compared. */
const OWN = new Set([
  'message_id',
  'message_idstr',
  'batch_no',
  'broadcast_no',
  'timestamp',
  'started_at',
  'created_at',
  'finished_at',
]);
const END = '--- end of example ---';

interface Example {
  endpoint: string;
  script: string;
  answer: unknown;
}

const api = testSystem(['worker', 'indexer']);

function examplesOf(page: string): Example[] {
  let endpoint = '';
  const found: Example[] = [];
  for (const [, heading, script, answer] of page.matchAll(
    /^### (.+)$|^```sh\n([\s\S]*?)^```\n\n```json\n([\s\S]*?)^```$/gm,
  )) {
    if (heading !== undefined) endpoint = heading;
    else found.push({ endpoint, script: script ?? '', answer: JSON.parse(answer ?? '') });
  }
  return found;
}

/** The value with its own ids and times replaced by their types, so that shape and everything else can be compared. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, OWN.has(key) ? typeof inner : comparable(inner)]),
  );
}

test('every example of docs/api.md works as printed', async () => {
  const examples = examplesOf(PAGE);
  expect(PAGE.match(/^```(sh|json)$/gm)).toHaveLength(2 * examples.length);
  // One shell for all: a later example may use what an earlier one kept in a variable.
  const script = examples.map((example) => `${example.script}\necho; echo '${END}'\n`).join('');
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', `API=${api.address}\n${script}`], {
    timeout: 50_000,
  });
  const answers = stdout.split(END).slice(0, -1);
  expect(answers).toHaveLength(examples.length);
  for (const [i, { endpoint, answer }] of examples.entries()) {
    expect({ endpoint, answer: comparable(JSON.parse(answers[i] ?? '')) }).toEqual({
      endpoint,
      answer: comparable(answer),
    });
  }
});
