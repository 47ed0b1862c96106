import { lanesOfInstallation } from '@ruyi/queue';
import { type Member, Members } from '@ruyi/store';
import { openRedis } from './connection.ts';

const USAGE = 'ruyi status [--json]';
const COLUMNS = ['name', 'role', 'version', 'schema', 'lanes', 'host', 'since'] as const;

/** `ruyi status`: the processes that live, and how many lanes there are. @returns the exit code */
export async function status(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  if (args.some((arg) => arg !== '--json')) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const { redis } = await openRedis(env);
  try {
    const [members, lanes] = await Promise.all([new Members(redis).all(), lanesOfInstallation(redis)]);
    const sorted = members.toSorted((a, b) => (a.role === b.role ? a.since - b.since : a.role < b.role ? -1 : 1));
    const isJson = args.includes('--json');
    process.stdout.write(
      isJson ? `${JSON.stringify({ lanes: lanes ?? null, members: sorted })}\n` : table(sorted, lanes),
    );
    return 0;
  } finally {
    redis.disconnect();
  }
}

function table(members: Member[], lanes: number | undefined): string {
  const cells = members.map((member) => COLUMNS.map((column) => cell(member, column)));
  const rows = [[...COLUMNS], ...cells];
  const widths = COLUMNS.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((text, i) => text.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n\nlanes of each kind: ${lanes ?? 'not decided yet'}\n`;
}

const cell = (member: Member, column: (typeof COLUMNS)[number]): string =>
  column === 'since' ? new Date(member.since * 1000).toISOString() : String(member[column]);
