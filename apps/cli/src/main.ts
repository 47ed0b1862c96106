import { oneLineOf } from './errorLine.ts';
import { runProgram } from './program.ts';

const args = process.argv.slice(2);

// `ruyi … | head` ends quietly. `ruyi up` looks after its output itself, because it has to go on.
if (args[0] !== 'up') {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      if ('code' in error && error.code === 'EPIPE') process.exit(0);
      throw error;
    });
  }
}

try {
  process.exitCode = await runProgram(args, process.env);
} catch (error) {
  const { line, code } = await oneLineOf(error);
  process.stderr.write(`${line}\n`);
  process.exitCode = code;
}
