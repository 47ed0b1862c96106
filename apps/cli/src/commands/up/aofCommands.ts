/** Above what Redis accepts as the number of arguments, and as the length of one (`proto-max-bulk-len`). */
const LARGEST = 1024 ** 3;

/**
 * Whether the bytes that redis-check-aof rejects contain whole commands. If they do, more than the end of the file is
 * damaged. Commands at the beginning do not count if they belong to a transaction that was cut before its EXEC: Redis
 * does not count these either.
 */
export function holdsWholeCommands(bytes: Buffer): boolean {
  const from = endOfOpenTransaction(bytes);
  for (let at = bytes.indexOf('*', from); at !== -1; at = bytes.indexOf('*', at + 1)) {
    if (endOfCommand(bytes, at) !== undefined) return true;
  }
  return false;
}

/**
 * Where an unfinished transaction at the start ends. A command is `*<n>\r\n`, then n times
 * `$<length>\r\n<bytes>\r\n`.
 */
function endOfOpenTransaction(bytes: Buffer): number {
  if (nameAt(bytes, 0) !== 'MULTI') return 0;
  let at = 0;
  for (;;) {
    const end = endOfCommand(bytes, at);
    if (end === undefined || (at > 0 && /^(MULTI|EXEC)$/.test(nameAt(bytes, at)))) return at;
    at = end;
  }
}

function nameAt(bytes: Buffer, at: number): string {
  return /^\*\d+\r\n\$\d+\r\n(\w+)\r\n/.exec(bytes.toString('latin1', at, at + 40))?.[1]?.toUpperCase() ?? '';
}

/** @returns undefined if no whole command starts at `start` */
function endOfCommand(bytes: Buffer, start: number): number | undefined {
  const count = readNumber(bytes, start, '*');
  if (count === undefined || count.value === 0) return undefined;
  let at = count.end;
  for (let argument = 0; argument < count.value; argument++) {
    const length = readNumber(bytes, at, '$');
    if (length === undefined) return undefined;
    at = length.end + length.value;
    if (bytes.toString('latin1', at, at + 2) !== '\r\n') return undefined;
    at += 2;
  }
  return at;
}

function readNumber(bytes: Buffer, start: number, mark: string): { value: number; end: number } | undefined {
  const match = /^(.)(\d{1,10})\r\n/.exec(bytes.toString('latin1', start, start + 13));
  if (match?.[1] !== mark || Number(match[2]) > LARGEST) return undefined;
  return { value: Number(match[2]), end: start + match[0].length };
}
