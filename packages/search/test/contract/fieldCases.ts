import type { SearchDocument } from '@ruyi/search';
import { personal, user } from './documents.ts';
import type { SearchCase } from './filterCases.ts';

const reader = 'fieldReader';
const fields = (id: string, text: Record<string, string>): SearchDocument => personal(id, 'writer', reader, { text });

/** Names that have a meaning in a language, an engine or a query. */
const NAMES = [
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length', 'id', 'audience', 'ext', '3', '', ' ', 'a.b'],
  ...["o'clock", '"quoted"', 'a:b', '标题', '😀', 'Title', 'title ', 'x'.repeat(300), '*', '-content', 'content_2'],
];
/** With Object.fromEntries even `__proto__` becomes an ordinary field. */
const field = (name: string, text: string) => Object.fromEntries([[name, text]]);

export const fieldDocuments: SearchDocument[] = [
  fields('both', { content: '北京 hello', title: '上海 world' }),
  fields('swapped', { content: '上海 world', title: '北京 hello' }),
  fields('onlyTitle', { title: '北京' }),
  fields('onlyContent', { content: '北京' }),
  fields('other', { url: 'https://example.com/北京', name: 'report.pdf', size: '12' }),
  fields('empty', { content: '', title: '' }),
  fields('none', {}),
  fields('split', { content: '北', title: '京' }),
  fields(
    'many',
    Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`field${i}`, `value${i} 值${'甲乙丙'[i % 3]}`])),
  ),
  ...NAMES.map((name, i) => fields(`named${i}`, field(name, `named${i}x 名字`))),
];

const asReader = (name: string, text: Record<string, string>, found: string[]): SearchCase => ({
  name,
  query: { audience: [user(reader)], text },
  found,
});

/** Texts by the payload field in which they are searched. `found` lists the newest first, and is compared as a set. */
export const fieldCases: SearchCase[] = [
  asReader('content alone', { content: '北京' }, ['onlyContent', 'both']),
  asReader('another field alone', { title: '北京' }, ['onlyTitle', 'swapped']),
  asReader('two fields, either will do', { content: '北京', title: '北京' }, [
    'onlyContent',
    'onlyTitle',
    'swapped',
    'both',
  ]),
  asReader('two fields that ask for different things', { content: '上海', title: '上海' }, ['swapped', 'both']),
  asReader('all words have to be in one field', { content: '北京 world', title: '北京 world' }, []),
  asReader('all words in one field, the other does not count', { content: '北京 hello', title: 'nowhere' }, ['both']),
  asReader('a substring does not go over two fields', { content: '北京', title: '无' }, ['onlyContent', 'both']),
  asReader('a field that no message has', { nowhere: '北京' }, []),
  asReader('a field that no message has beside one', { nowhere: '北京', title: 'hel' }, ['swapped']),
  asReader('a field in another case', { TITLE: '北京' }, []),
  asReader('a field whose name only begins the same', { titl: '北京' }, []),
  asReader('punctuation in one field, text in the other', { content: '！！', title: 'world' }, ['both']),
  asReader('punctuation in every field', { content: '！！', title: '...' }, []),
  asReader('a prefix in another field', { url: 'exam' }, ['other']),
  asReader('a name with a dot', { name: 'report.pdf' }, ['other']),
  asReader('a single character in another field', { url: '京' }, ['other']),
  asReader('digits in another field', { size: '12' }, ['other']),
  asReader('the number of a field is not searched', { url: '3' }, []),
  asReader('one of very many fields', { field299: 'value299' }, ['many']),
  asReader('the value of a neighbour of that field', { field298: 'value299' }, []),
  asReader('a prefix in one of very many fields', { field7: 'val' }, ['many']),
  asReader('a character in one of very many fields', { field4: '乙' }, ['many']),
  asReader('the character of a neighbour of that field', { field5: '乙' }, []),
  asReader(
    'very many fields at once',
    Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`field${i}`, '值乙'])),
    ['many'],
  ),
  ...NAMES.map((name, i) =>
    asReader(`a field named ${JSON.stringify(name.slice(0, 20))}`, field(name, `named${i}x`), [`named${i}`]),
  ),
  ...NAMES.map((name, i) =>
    asReader(
      `a field named ${JSON.stringify(name.slice(0, 20))} has its own text only`,
      field(name, `named${i + 1}x`),
      [],
    ),
  ),
];
