import { aptInstall, findAptGet, stopService } from '@ruyi/process';

/** A program that some tests need, and that not every machine has. */
export interface Tool {
  /** as people call it */
  name: string;
  /** of Debian and Ubuntu */
  package: string;
  /** what is skipped without it, and what else there is to say: `the browser tests are skipped` */
  skipped: string;
  find(): string | undefined;
  /** what the package starts, and nobody asked for */
  service?: string;
}

/**
 * Finds the program. As root on Debian and Ubuntu it installs a missing one. Without it the tests that need it are skipped.
 * Not every machine can have it, so this prints a line and is not an error.
 */
export function installTool(tool: Tool, say: (line: string) => void): string | undefined {
  const found = tool.find();
  if (found !== undefined) return found;
  const skipped = `${tool.skipped}: install ${tool.name} to run them (Debian: apt-get install ${tool.package})`;
  const aptGet = findAptGet(process.env.PATH);
  if (aptGet === undefined) {
    say(`${tool.name} is not on PATH; ${skipped}`);
    return undefined;
  }
  say(`${tool.name}, for tests, is not installed: installing it with apt-get …`);
  const reason = aptInstall(aptGet, tool.package, process.env);
  if (reason === undefined && tool.service !== undefined) stopService(tool.service, process.env);
  const installed = tool.find();
  if (installed === undefined)
    say(`apt-get could not install ${tool.package} (${reason ?? 'no reason given'}); ${skipped}`);
  return installed;
}
