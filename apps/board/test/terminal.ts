import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import type { BrowserContext, Page } from 'playwright-core';

const { resolve } = createRequire(import.meta.url);
const [WIDTH, HEIGHT] = [112, 10];
const COLOURS = { background: '#16181d', foreground: '#e6e6e6', cursor: '#16181d' };

/** A program on a terminal of its own, and what it has written so far. */
export interface TerminalRun {
  readonly output: string;
  type(text: string): void;
  /** its exit code */
  readonly ended: Promise<number | null>;
}

/** Runs a command as on a terminal (`script` of util-linux makes one). */
export function onTerminal(command: string, cwd: string, env: Record<string, string>): TerminalRun {
  const line = `stty cols ${WIDTH} rows ${HEIGHT}; exec ${command}`;
  const child = spawn('script', ['-qec', line, '/dev/null'], { cwd, env: { PATH: process.env.PATH ?? '', ...env } });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return {
    get output() {
      return output;
    },
    type: (text) => child.stdin.write(text),
    ended: new Promise((done) => child.once('close', done)),
  };
}

/** A terminal in a browser (xterm.js), which shows what a program has written. */
export async function terminalPage(context: BrowserContext) {
  const page = await context.newPage();
  await page.setContent('<body style="margin:0;display:inline-block;padding:12px"><div id="terminal"></div></body>');
  await page.addStyleTag({ path: resolve('@xterm/xterm/css/xterm.css') });
  await page.addScriptTag({ path: resolve('@xterm/xterm/lib/xterm.js') });
  await page.evaluate(`
    document.body.style.background = ${JSON.stringify(COLOURS.background)};
    terminal = new Terminal({ cols: ${WIDTH}, rows: ${HEIGHT}, fontSize: 14, theme: ${JSON.stringify(COLOURS)} });
    terminal.open(document.getElementById('terminal'));
  `);
  return {
    page,
    /** Shows this text, and nothing of before. @returns the lines that are seen */
    show: (text: string) => linesOf(page, text),
    picture: (path: string) => page.locator('body').screenshot({ path }),
  };
}

const linesOf = (page: Page, text: string) =>
  page.evaluate<string[]>(`new Promise((done) => {
    terminal.reset();
    terminal.write(${JSON.stringify(text)}, () => {
      const { active } = terminal.buffer;
      done(Array.from({ length: terminal.rows }, (_, i) => active.getLine(active.viewportY + i).translateToString(true)));
    });
  })`);
