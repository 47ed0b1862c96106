import type { DeadLetters, Letter, LetterDetails, Sample } from '@ruyi/queue';
import { count, printable, time } from '../../terminal/formats.ts';

type Groups = Awaited<ReturnType<DeadLetters['groups']>>;
type Group = Groups['groups'][number];

/** A screen of groups names this many keys of each. */
const KEYS = 10;

const NOUNS: Record<Letter['kind'], [one: string, many: string]> = {
  message: ['message', 'messages'],
  recipients: ['recipient', 'recipients'],
  group_command: ['command to a group', 'commands to groups'],
  document: ['document of search', 'documents of search'],
  // Of a job that nobody understands only its id tells how many it was for.
  job: ['recipient or message', 'recipients or messages'],
};
const counted = (n: number, [one, many]: [one: string, many: string]) => `${count(n)} ${n === 1 ? one : many}`;
const letters = (n: number) => counted(n, ['dead letter', 'dead letters']);
const instant = (ms: number) => time(Math.floor(ms / 1000));

/** `of broadcast 12 (batch 107k), from news` */
function aboutText({ batch, broadcast, from }: Pick<Letter, 'batch' | 'broadcast' | 'from'>): string {
  const named = broadcast === undefined ? batch && `batch ${batch}` : `broadcast ${broadcast} (batch ${batch})`;
  const parts = [named && `of ${named}`, from && `from ${printable(from)}`];
  return parts.filter((part) => part !== undefined && part !== '').join(', ');
}

/** What `ruyi dead list` shows. */
export function groupsText({ total, unread, more, groups }: Groups): string {
  const rest = [
    ...(more > 0 ? [`and ${count(more)} more groups: see \`ruyi dead list --json\``] : []),
    ...(unread > 0 ? [`the ${count(unread)} oldest letters are not looked at here`] : []),
  ];
  const blocks = [...groups.map(groupText), ...(rest.length > 0 ? [rest.join('\n')] : []), letters(total)];
  return `${blocks.join('\n\n')}\n`;
}

function groupText(group: Group): string {
  const { kind, letters: parts, retrying, tries, firstAt, lastAt, title, fix, ids } = group;
  const where = parts === 1 ? '' : ` in ${count(parts)} letters`;
  const about = aboutText(group);
  const state = retrying > 0 ? `; ${count(retrying)} being tried again` : '';
  return [
    `${counted(group.count, NOUNS[kind])}${where}: ${group.code}: ${printable(title)}`,
    ...(about === '' ? [] : [`  ${about}`]),
    `  failed first ${instant(firstAt)}, last ${instant(lastAt)}; tries ${tries}${state}`,
    ...samplesText(group.samples.slice(0, KEYS)),
    ...moreText(group.count - Math.min(KEYS, group.samples.length), exportOf(group)),
    `  fix: ${fix}`,
    `  letters: ${idsText(ids, parts)}`,
  ].join('\n');
}

const exportOf = ({ batch, broadcast, code }: Group) => {
  const no = broadcast ?? batch;
  return `ruyi dead export${no === undefined ? '' : ` --broadcast ${no}`} --code ${code}`;
};

const moreText = (more: number, command: string) => (more > 0 ? [`    and ${count(more)} more: \`${command}\``] : []);

const IDS = 3;
const idsText = (ids: string[], all: number) =>
  `${ids.slice(0, IDS).join(' ')}${all > IDS ? ` and ${count(all - IDS)} more (--json)` : ''}`;

function samplesText(samples: (Sample & { now?: string })[]): string[] {
  return samples.map(({ uid, channel, key, now }) => {
    const name = uid ?? channel;
    const state = now === undefined ? '' : `  ${now === 'none' ? 'absent now' : `now: ${now}`}`;
    return `    ${[name, key]
      .filter((part) => part !== undefined)
      .map(printable)
      .join('  ')}${state}`;
  });
}

/** What `ruyi dead show` shows. */
export function letterText(letter: LetterDetails): string {
  const { id, kind, tries, firstAt, lastAt, retryingSince, queue, problems, raw } = letter;
  const about = aboutText(letter);
  const lines = [
    id,
    `${counted(letter.count, NOUNS[kind])}${about === '' ? '' : ` ${about}`}; queue ${queue}`,
    `failed first ${instant(firstAt)}, last ${instant(lastAt)}; tries ${tries}`,
    ...(retryingSince === undefined ? [] : [`being tried again since ${instant(retryingSince)}`]),
  ];
  for (const problem of problems) {
    lines.push(
      '',
      `${counted(problem.count, NOUNS[kind])}: ${problem.code}: ${printable(problem.title)}`,
      `  reason: ${printable(problem.reason)}`,
      `  fix: ${problem.fix}`,
      ...samplesText(problem.samples),
      ...moreText(problem.more, `ruyi dead show ${id} --uids ${problem.samples.length + problem.more}`),
    );
  }
  if (raw !== undefined) lines.push('', `found: ${printable(raw)}`);
  return `${lines.join('\n')}\n`;
}
