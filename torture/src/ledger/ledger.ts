import type { SentBroadcast } from './sentBroadcast.ts';

/** A span of time before a power failure, of which a Redis with `everysec` may have lost what was answered. */
export interface LossWindow {
  from: number;
  to: number;
}

/** The answer that a client got for one message or batch. Times are those of performance.now(). */
export interface Answer {
  at: number;
  messageId?: number;
  /** only in an answer that waited until the message was stored */
  seq?: number;
  batchNo?: string;
}

/** One request of a sender, whatever its outcome. */
export interface Sent {
  /** its number in this run, and the token in its payload */
  n: number;
  sender: string;
  /** requests of one sender with the same `order` stay in order in every place that they share */
  order: string;
  /** logs and inboxes that must each contain it once, see places.ts */
  places: string[];
  /** number of recipients of a sendbatch, whose progress is checked; 0 for everything else */
  batchSize: number;
  isCommand: boolean;
  /** whether it has a client_msg_no; without one it cannot be repeated, so an unknown outcome stays unknown */
  keyed: boolean;
  /** a word of its text, for searching */
  word: string;
  answers: Answer[];
  /** the fault that was running when it was first sent */
  during: string;
  /** how many tries have an unknown outcome: 503, or the connection was cut */
  unknown: number;
}

/** Everything that was sent in this run, with the answers. */
export class Ledger {
  readonly sent: Sent[] = [];
  readonly broadcasts: SentBroadcast[] = [];
  readonly lossWindows: LossWindow[] = [];
  answered = 0;
  /** the fault that is running */
  phase = '';

  open(request: Omit<Sent, 'n' | 'answers' | 'unknown' | 'during'>): Sent {
    const sent: Sent = { ...request, n: this.sent.length, answers: [], unknown: 0, during: this.phase };
    this.sent.push(sent);
    return sent;
  }

  answer(sent: Sent, answer: Answer): void {
    sent.answers.push(answer);
    this.answered++;
  }

  /** Whether it must be stored: it was answered 200, and no power failure excuses its loss. */
  isPromised(sent: Sent): boolean {
    return sent.answers.some(({ at }) => !this.isExcused(at));
  }

  /** Whether all of its answers still hold. Only then are its order and its numbers checked. */
  isUnharmed(sent: Sent): boolean {
    return sent.answers.length > 0 && sent.answers.every(({ at }) => !this.isExcused(at));
  }

  /** Whether a power failure may have taken what was answered at this time. */
  isExcused(at: number): boolean {
    return this.lossWindows.some(({ from, to }) => from <= at && at <= to);
  }
}
