import { loadConfig } from '@ruyi/config';
import { coloursOf } from '../../terminal/table.ts';
import type { Finding } from './finding.ts';

const USAGE = 'ruyi doctor [--json]';

type Colours = ReturnType<typeof coloursOf>;

/** `ruyi doctor`: looks at everything that an installation needs. @returns the exit code: 1 if something fails */
export async function doctor(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  if (args.some((arg) => arg !== '--json')) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const { examine } = await import('./examine.ts');
  const findings = await examine(loadConfig(env), env);
  const isJson = args.includes('--json');
  process.stdout.write(
    isJson ? `${JSON.stringify({ status: worstOf(findings), checks: findings })}\n` : page(findings, env),
  );
  return worstOf(findings) === 'fail' ? 1 : 0;
}

function worstOf(findings: Finding[]): Finding['status'] {
  const has = (status: Finding['status']) => findings.some((finding) => finding.status === status);
  return has('fail') ? 'fail' : has('warn') ? 'warn' : 'ok';
}

function page(findings: Finding[], env: NodeJS.ProcessEnv): string {
  const colours = coloursOf(process.stdout, env);
  const width = Math.max(...findings.map(({ check }) => check.length));
  const indent = ' '.repeat(6 + width + 2);
  const lines = findings.flatMap(({ check, status, message, fix }) => [
    `${shown(status, colours)}  ${check.padEnd(width)}  ${message}`,
    ...(fix === undefined ? [] : [`${indent}${fix}`]),
  ]);
  return `${lines.join('\n')}\n`;
}

const shown = (status: Finding['status'], { green, yellow, red }: Colours): string =>
  ({ ok: green('ok  '), warn: yellow('warn'), fail: red('fail') })[status];
