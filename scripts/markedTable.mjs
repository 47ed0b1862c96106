// Tables in pages that are written from the code: they stand between `<!-- name -->` and `<!-- /name -->`.
import { readFileSync, writeFileSync } from 'node:fs';

/** Rows of equally many cells, the head first, as Markdown with aligned columns. */
export function markdownTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (cells) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  const [head, ...body] = rows;
  return `${[line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')}\n`;
}

/** Puts a table between its two marks in a page. */
export function writeTable(page, name, table) {
  const text = readFileSync(page, 'utf8');
  const marked = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`);
  if (!marked.test(text)) throw new Error(`${page} has no marks for the table ${name}`);
  writeFileSync(
    page,
    text.replace(marked, (_, begin, end) => `${begin}\n${table}\n${end}`),
  );
}
