/** Whether SQLite says that the file is not what it wrote. */
export function isDamaged(error: unknown): error is Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB';
}

/** A file that a reader leaves for the writer, who alone may replace a damaged index. */
export const suspicionOf = (file: string): string => `${file}.suspect`;
