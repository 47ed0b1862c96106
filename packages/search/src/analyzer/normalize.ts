import { isInvisible, isMark, type Kind, kindOf } from './characters.ts';
import { type Folded, foldCluster } from './fold.ts';
import { simplified } from './simplified.ts';

/** A text as both engines see it: folded characters, each with its offsets in the original. */
export interface NormalText {
  /** code points */
  chars: string[];
  /** UTF-16 offsets in the original at which each character begins and ends */
  starts: number[];
  ends: number[];
  kinds: (Kind | 'mark' | undefined)[];
  /** whether the character does not join the one before it, although nothing is written between them (rule 2) */
  isApart: boolean[];
}

/** Zalgo text has hundreds of marks on a character, an attacker's text a hundred thousand (docs/api.md §2, rule 1). */
const MOST_MARKS = 30;

/** A character with its marks, as it is in the text. */
interface Cluster {
  text: string;
  start: number;
  end: number;
  marks: number;
  last: number;
}

/** Folds a text in linear time. Offsets lead back to the original. */
export function normalize(text: string): NormalText {
  const writer = new Writer();
  let cluster: Cluster | undefined;
  for (let i = 0; i < text.length; ) {
    const code = text.codePointAt(i) ?? 0;
    const end = i + (code > 0xffff ? 2 : 1);
    if (isPlain(code)) {
      writer.add(cluster);
      cluster = undefined;
      // The usual case, nearly always: a plain character that is followed by another one has no marks.
      if (end === text.length || isPlain(text.charCodeAt(end))) writer.addPlain(code, i);
      else cluster = { text: text.charAt(i), start: i, end, marks: 0, last: code };
    } else {
      const char = text.slice(i, end);
      if (!isInvisible(char)) {
        if (cluster && isMark(char)) extend(cluster, char, end);
        else if (cluster && joinsHangul(cluster.last, code)) {
          cluster.text += char;
          [cluster.end, cluster.last] = [end, code];
        } else {
          writer.add(cluster);
          cluster = { text: char, start: i, end, marks: 0, last: code };
        }
      }
    }
    i = end;
  }
  writer.add(cluster);
  return writer.normal;
}

/** Marks beyond the bound are skipped, but still belong to the character when it is highlighted in the original. */
function extend(cluster: Cluster, mark: string, end: number): void {
  cluster.end = end;
  if (cluster.marks++ < MOST_MARKS) cluster.text += mark;
}

/** Conjoining Hangul: a vowel after a leading consonant, a trailing consonant after either syllable. */
function joinsHangul(last: number, code: number): boolean {
  if (code >= 0x1160 && code <= 0x11a7) return last >= 0x1100 && last <= 0x115f;
  if (code < 0x11a8 || code > 0x11ff) return false;
  return (last >= 0x1160 && last <= 0x11a7) || (last >= 0xac00 && last <= 0xd7a3);
}

/** ASCII and the common Han characters, none of which is a mark or invisible. */
const isPlain = (code: number) => code < 0x80 || (code >= 0x4e00 && code <= 0x9fff);

/** A cache of folded clusters, because texts repeat their characters. */
const folds = new Map<string, Folded>();
const MOST_FOLDS = 8192;
const LONGEST_KEPT = 8;

function foldOf(cluster: string): Folded {
  const known = folds.get(cluster);
  if (known) return known;
  const folded = foldCluster(cluster);
  if (folds.size >= MOST_FOLDS) folds.clear();
  if (cluster.length <= LONGEST_KEPT) folds.set(cluster, folded);
  return folded;
}

class Writer {
  readonly normal: NormalText = { chars: [], starts: [], ends: [], kinds: [], isApart: [] };
  /** whether the previous cluster was a symbol that does not join its neighbours */
  #afterSymbol = false;

  add(cluster: Cluster | undefined): void {
    if (!cluster) return;
    const { text, start, end } = cluster;
    const { chars, kinds, isApart } = foldOf(text);
    chars.forEach((char, i) => {
      this.#push(char, kinds[i], start, end, i === 0 && (isApart || this.#afterSymbol));
    });
    this.#afterSymbol = isApart;
  }

  /** A character of ASCII or a common Han character, without marks. */
  addPlain(code: number, start: number): void {
    const isHan = code >= 0x80;
    const folded = isHan ? simplified(code) : code >= 65 && code <= 90 ? code + 32 : code;
    const char = String.fromCodePoint(folded);
    this.#push(char, isHan ? 'cjk' : kindOf(char), start, start + 1, this.#afterSymbol);
    this.#afterSymbol = false;
  }

  #push(char: string, kind: NormalText['kinds'][number], start: number, end: number, isApart: boolean): void {
    this.normal.chars.push(char);
    this.normal.starts.push(start);
    this.normal.ends.push(end);
    this.normal.kinds.push(kind);
    this.normal.isApart.push(isApart);
  }
}
