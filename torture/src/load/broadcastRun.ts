import { setTimeout as pause } from 'node:timers/promises';
import type { BroadcastAnswer } from '@ruyi/contracts';
import type { Random } from '@ruyi/testkit';
import type { FindingKind } from '../findings.ts';
import type { SentBroadcast } from '../ledger/sentBroadcast.ts';
import type { Reply } from './http.ts';
import type { LoadContext } from './sender.ts';
import { untilAnswered } from './untilAnswered.ts';

export type Action = 'start' | 'pause' | 'resume' | 'cancel' | 'retry' | 'list' | 'failures';

/** Several faults may hold one up, one after the other. */
const END_DEADLINE_MS = 240_000;
const LOOK_EVERY_MS = 150;

/** The requests of one broadcast. Each is repeated until it is answered; all of them may be. */
export class BroadcastRun {
  readonly context: LoadContext;
  readonly broadcast: SentBroadcast;
  readonly #random: Random;
  readonly #uploadAll: (run: BroadcastRun) => Promise<void>;

  /** @param uploadAll uploads its parts, also those that are there already */
  constructor(
    context: LoadContext,
    broadcast: SentBroadcast,
    random: Random,
    uploadAll: (run: BroadcastRun) => Promise<void>,
  ) {
    this.context = context;
    this.broadcast = broadcast;
    this.#random = random;
    this.#uploadAll = uploadAll;
  }

  upload(): Promise<void> {
    return this.#uploadAll(this);
  }

  /** A power failure may have taken something that was answered. */
  get isHarmed(): boolean {
    return this.broadcast.answeredAt.some((at) => this.context.ledger.isExcused(at));
  }

  found(kind: FindingKind, detail: string): void {
    const { sent, no } = this.broadcast;
    this.context.findings.add(kind, `broadcast ${no} (n${sent.n}, during ${sent.during}): ${detail}`);
  }

  async create(body: object): Promise<void> {
    const reply = await this.#ask('POST', '/broadcasts', body);
    if (reply.status === 200) this.broadcast.no = reply.body.broadcast_no;
    else this.#wrong('/broadcasts', reply);
  }

  /** @returns undefined if a power failure took the broadcast */
  async uploadPart(part: number, bytes: Buffer, headers: Record<string, string>): Promise<Reply | undefined> {
    return this.#about('PUT', `/recipients/${part}`, bytes, headers);
  }

  /** Does it, and checks the answer. It may be too late for it. */
  async act(action: Action): Promise<void> {
    if (action === 'failures') return void (await this.failures());
    if (action === 'list') return this.#list();
    const reply = await this.#about('POST', `/${action}`);
    if (!reply) return;
    if (action === 'cancel' && reply.status === 200) this.broadcast.isCancelled = true;
    const isLate = reply.status === 409 && reply.body.code === 'wrong_state';
    if (reply.status !== 200 && !isLate) this.#wrong(action, reply);
    if (reply.status === 200) this.#checkCounts(reply.body);
  }

  /** Whom it failed for. */
  async failures(): Promise<string[]> {
    const reply = await this.#about('GET', '/failures');
    if (!reply) return [];
    if (reply.status !== 200) this.#wrong('failures', reply);
    return reply.status === 200 ? reply.body.map(({ uid }: { uid: string }) => uid) : [];
  }

  /** Resolves when it has ended. Resumes it if it is paused; uploads and starts it if a power failure took the start. */
  async end(): Promise<void> {
    const until = performance.now() + END_DEADLINE_MS;
    while (performance.now() < until) {
      const reply = await this.#about('GET', '');
      if (!reply) return;
      if (reply.status !== 200) return this.#wrong('its report', reply);
      const report: BroadcastAnswer = reply.body;
      this.#checkCounts(report);
      this.broadcast.end = report;
      if (report.finished_at > 0) return;
      if (report.state === 'paused') await this.act('resume');
      if (report.state === 'open') {
        if (!this.isHarmed) this.found('lost', 'its start was forgotten');
        // With it some of its parts may be gone.
        await this.upload();
        await this.act('start');
      }
      await pause(LOOK_EVERY_MS);
    }
    this.found('stuck', JSON.stringify(this.broadcast.end));
  }

  async #list(): Promise<void> {
    const path = `/broadcasts?from_uid=${this.broadcast.sent.sender}&limit=100`;
    const { status, body } = await this.#ask('GET', path);
    const newest: BroadcastAnswer[] = status === 200 ? body.broadcasts : [];
    const isListed = newest.some(({ broadcast_no }) => broadcast_no === this.broadcast.no);
    if (!isListed && !this.isHarmed) this.found('wrong answer', 'it is not among the newest in the list');
  }

  /** At no time are there more than there are. */
  #checkCounts({ total, stored, failed, cancelled, indexed, accepted, duplicates }: BroadcastAnswer): void {
    const isPossible = stored + failed + cancelled <= total && total === accepted - duplicates && indexed <= total;
    const counts = { total, stored, failed, cancelled, indexed, accepted, duplicates };
    if (!isPossible) this.found('batch progress', `impossible: ${JSON.stringify(counts)}`);
  }

  async #about(method: 'GET' | 'POST' | 'PUT', rest: string, body?: Buffer, headers?: Record<string, string>) {
    if (this.broadcast.isGone || this.broadcast.no === undefined) return undefined;
    const reply = await this.#ask(method, `/broadcasts/${this.broadcast.no}${rest}`, body, headers);
    if (reply.status !== 404) return reply;
    this.broadcast.isGone = true;
    if (!this.isHarmed) this.found('lost', `${rest} was answered 404`);
    return undefined;
  }

  async #ask(method: 'GET' | 'POST' | 'PUT', path: string, body?: object | Buffer, headers?: Record<string, string>) {
    const { sent, answeredAt } = this.broadcast;
    const request = { method, path, ...(body ? { body } : {}), ...(headers ? { headers } : {}) };
    const reply = await untilAnswered(this.context, this.#random, request, () => {
      sent.unknown++;
    });
    if (reply.status === 200 && method !== 'GET') {
      answeredAt.push(performance.now());
      this.context.ledger.answered++;
    }
    return reply;
  }

  #wrong(what: string, { status, body }: Reply): void {
    this.found('wrong answer', `${what}: ${status} ${JSON.stringify(body).slice(0, 300)}`);
  }
}
