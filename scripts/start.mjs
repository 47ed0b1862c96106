// `npm start`: installs and builds what is missing, then runs everything in this very process (apps/cli, `ruyi up`), so
// that signals and the exit code need no forwarding.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

try {
  prepare((line) => console.log(line));
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
const cli = join(root, 'apps', 'cli', 'dist', 'main.js');
process.argv.splice(1, process.argv.length, cli, 'up');
await import(pathToFileURL(cli).href);
