import { createHash } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import { digitGramsOf, tokensOf } from '../analyzer/tokens.ts';
import { CONTENT_FIELD, type SearchDocument } from '../searchDocument.ts';
import { keyBytes, MAX_PLACE, PLACE_SIZE } from './schema.ts';

/** A key that may see a document, and its index in the document's audience. */
type Listed = [key: string, position: number];

/** Who may see a document besides the keys of its place. The numbers are stored in the column `own`. */
export const ALSO_SEEN_BY = { nobody: 0, sender: 1, listed: 2 } as const;

/** The keys that see everything in the document's place, and the keys that see just this document. */
interface Audience {
  shared: Listed[];
  others: Listed[];
  alsoSeenBy: (typeof ALSO_SEEN_BY)[keyof typeof ALSO_SEEN_BY];
}

interface OpenPlace {
  id: number;
  count: number;
  tokens: number;
}

/** A token that no query contains. It stands between numbers, so that no phrase reaches from one into the next. */
const PARTED = ' _ ';

interface Tokens {
  count: number;
  /** values for the columns of the text table */
  columns: string[];
}

/** Writes documents into an open index, within its caller's transaction. */
export class DocumentWriter {
  readonly #statements: ReturnType<typeof statementsOf>;
  #fields = new Map<string, number>();

  constructor(database: Database) {
    this.#statements = statementsOf(database);
  }

  /** Call this when a transaction has failed: the fields that it added are gone. */
  forget(): void {
    this.#fields.clear();
  }

  /** Adds documents that have an audience. If a document exists already, only its locator is updated. */
  insert(documents: readonly SearchDocument[]): void {
    const places = new Map<string, OpenPlace>();
    const added = new Map<string, { n: number; document: SearchDocument; audience: Audience; tokens: Tokens }>();
    for (const document of documents) {
      const { id, locator } = document;
      if (added.has(id) || this.#statements.known.get(id) !== undefined) {
        this.#statements.move.run(locator, id, locator);
        const again = added.get(id);
        if (again) again.document = { ...again.document, locator };
        continue;
      }
      const audience = audienceOf(document);
      const tokens = this.#tokensOf(document);
      const place = this.#place(places, document, audience);
      added.set(id, { n: place.id * PLACE_SIZE + place.count, document, audience, tokens });
      place.count++;
      place.tokens += tokens.count;
    }
    // In order, because the text index flushes its memory whenever a number is lower than the one before.
    for (const { n, document, audience, tokens } of [...added.values()].sort((a, b) => a.n - b.n)) {
      this.#write(n, document, audience, tokens);
    }
    for (const { id, count, tokens } of places.values()) this.#statements.grow.run(count, tokens, id);
    this.#statements.count.run(added.size);
  }

  #write(n: number, document: SearchDocument, { others }: Audience, tokens: Tokens): void {
    const { topic, payloadType = null, timestamp, expiresAt, order } = document;
    const source = this.#statements.source.run(document.id, document.locator, JSON.stringify(document.text));
    this.#statements.document.run(
      n,
      keyBytes(document.from),
      keyBytes(topic),
      payloadType,
      timestamp,
      expiresAt,
      order,
      tokens.count,
      source.lastInsertRowid,
    );
    for (const [key, position] of others) this.#statements.audience.run(keyBytes(key), n, position);
    this.#statements.text.run(n, ...tokens.columns);
  }

  #place(places: Map<string, OpenPlace>, document: SearchDocument, { shared, alsoSeenBy }: Audience): OpenPlace {
    const { channel, channelId, channelType } = document;
    const expiring = document.expiresAt === 0 ? 0 : 1;
    const name = JSON.stringify([channel, channelId, channelType, expiring, alsoSeenBy, shared]);
    const open = places.get(name);
    if (open && open.count < PLACE_SIZE) return open;
    const digest = createHash('sha256').update(name).digest().subarray(0, 16);
    if (open) this.#statements.grow.run(open.count, open.tokens, open.id);
    let place = this.#statements.place.get(digest);
    // A full place gives up its name, and the next document begins a new place.
    if (place && place.count >= PLACE_SIZE) {
      this.#statements.rename.run(place.id);
      place = undefined;
    }
    if (place === undefined) {
      const values = [digest, keyBytes(channel), keyBytes(channelId), channelType, expiring, alsoSeenBy];
      const id = Number(this.#statements.addPlace.run(...values, JSON.stringify(shared)).lastInsertRowid);
      if (id > MAX_PLACE) throw new Error(`the search index has no room for more than ${MAX_PLACE} conversations`);
      for (const [key] of shared) this.#statements.member.run(keyBytes(key), id);
      place = { id, count: 0, tokens: 0 };
    }
    places.set(name, place);
    return place;
  }

  #tokensOf({ text }: SearchDocument): Tokens {
    const { [CONTENT_FIELD]: content = '', ...others } = text;
    const words = tokensOf(content).map((token) => token.text);
    const grams = digitGramsOf(content).map((run) => run.join(' '));
    const ext: string[] = [];
    const extGrams: string[] = [];
    for (const [name, value] of Object.entries(others)) {
      const mark = `${this.#fieldId(name)}_`;
      for (const token of tokensOf(value)) ext.push(mark + token.text);
      for (const run of digitGramsOf(value)) extGrams.push(run.map((gram) => mark + gram).join(' '));
    }
    const columns = [words.join(' '), ext.join(' '), grams.join(PARTED), extGrams.join(PARTED)];
    return { count: words.length + ext.length, columns };
  }

  #fieldId(name: string): number {
    const known = this.#fields.get(name);
    if (known !== undefined) return known;
    this.#statements.addField.run(name);
    const id = Number(this.#statements.fieldId.get(name));
    this.#fields.set(name, id);
    return id;
  }
}

/** A group's members share all of its documents, and so do two users. A recipient of a batch sees single documents. */
function audienceOf(document: SearchDocument): Audience {
  const positions = new Map<string, number>();
  document.audience.forEach((key, position) => {
    if (key !== '' && !positions.has(key)) positions.set(key, position);
  });
  const all = [...positions];
  const { channel, from } = document;
  if (positions.has(channel)) {
    const others = all.filter(([key]) => key !== channel);
    const isSender = others.length === 1 && others[0]?.[0] === from;
    const nobody = others.length === 0;
    const alsoSeenBy = nobody ? ALSO_SEEN_BY.nobody : isSender ? ALSO_SEEN_BY.sender : ALSO_SEEN_BY.listed;
    return { shared: all.filter(([key]) => key === channel), others, alsoSeenBy };
  }
  if (all.length <= 2 && positions.has(from)) return { shared: all, others: [], alsoSeenBy: ALSO_SEEN_BY.nobody };
  return { shared: [], others: all, alsoSeenBy: ALSO_SEEN_BY.listed };
}

function statementsOf(database: Database) {
  return {
    known: database.prepare<[string], unknown>('select 1 from source where id = ?'),
    move: database.prepare('update source set locator = ? where id = ? and locator <> ?'),
    place: database.prepare<[Buffer], OpenPlace>('select id, count, tokens from place where digest = ?'),
    rename: database.prepare('update place set digest = randomblob(17) where id = ?'),
    addPlace: database.prepare(
      `insert into place (digest, channel, channel_id, channel_type, expiring, own, shared, count, tokens)
       values (?, ?, ?, ?, ?, ?, ?, 0, 0)`,
    ),
    grow: database.prepare('update place set count = ?, tokens = ? where id = ?'),
    count: database.prepare('update meta set documents = documents + ?'),
    member: database.prepare('insert into member values (?, ?)'),
    document: database.prepare('insert into document values (?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    source: database.prepare('insert into source (id, locator, text) values (?, ?, ?)'),
    audience: database.prepare('insert into audience values (?, ?, ?)'),
    // Numbers above 2^31 are bound as floating-point, which the text index refuses as rowids.
    text: database.prepare(
      'insert into text (rowid, content, ext, grams, ext_grams) values (cast(? as integer), ?, ?, ?, ?)',
    ),
    addField: database.prepare('insert or ignore into field (name) values (?)'),
    fieldId: database.prepare('select id from field where name = ?').pluck(),
  };
}
