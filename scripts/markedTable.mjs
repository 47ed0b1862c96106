// Tables that are generated from the code: in a page they are between `<!-- name -->` and `<!-- /name -->`.
import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Formats rows as a Markdown table with aligned columns. All rows have the same number of cells; the first is the
 * head.
 */
export function markdownTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (cells) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  const [head, ...body] = rows;
  return `${[line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')}\n`;
}

/** Replaces what is between the two marks of a table in a page. */
export function writeTable(page, name, table) {
  const text = readFileSync(page, 'utf8');
  const marked = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`);
  if (!marked.test(text)) throw new Error(`${page} has no marks <!-- ${name} --> and <!-- /${name} -->`);
  writeFileSync(
    page,
    text.replace(marked, (_, begin, end) => `${begin}\n${table}\n${end}`),
  );
}
