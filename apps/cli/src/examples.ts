/** The examples below the help of a command, each with what it does. */
export function examplesText(examples: [command: string, what: string][]): string {
  const width = Math.max(...examples.map(([command]) => command.length));
  return `\nExamples:\n${examples.map(([command, what]) => `  ${command.padEnd(width)}   ${what}`).join('\n')}`;
}
