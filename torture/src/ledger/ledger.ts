/** A span of time whose answers a Redis with `everysec` may have forgotten: its power failed at the end of it. */
export interface LossWindow {
  from: number;
  to: number;
}

/** What a client was told about one message or batch. Times are of performance.now(). */
export interface Answer {
  at: number;
  messageId?: number;
  /** only of an answer that waited for the message to be stored */
  seq?: number;
  batchNo?: string;
}

/** One request of a sender, whatever came of it. */
export interface Sent {
  /** its number in this run, and the token in its payload */
  n: number;
  sender: string;
  /** requests of one sender with the same order keep it in every place that they share */
  order: string;
  /** logs and inboxes that get it once each, see places.ts */
  places: string[];
  /** recipients of a sendbatch, whose progress is checked; 0 for all else */
  batchSize: number;
  isCommand: boolean;
  /** false without a client_msg_no: it cannot be repeated, so an unknown outcome stays unknown */
  keyed: boolean;
  /** what its text holds, for the search */
  word: string;
  answers: Answer[];
  /** the fault that ran when it was first sent */
  during: string;
  /** tries whose outcome nobody knows: 503, or the connection was cut */
  unknown: number;
}

/** Everything that was sent in this run and what was answered. */
export class Ledger {
  readonly sent: Sent[] = [];
  readonly lossWindows: LossWindow[] = [];
  answered = 0;
  /** the fault that runs now */
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

  /** Whether it must be stored: an answer of 200 that no loss of power excuses. */
  isPromised(sent: Sent): boolean {
    return sent.answers.some(({ at }) => !this.#isExcused(at));
  }

  /** Whether everything that was answered about it still holds; only then its order and its numbers are checked. */
  isUnharmed(sent: Sent): boolean {
    return sent.answers.length > 0 && sent.answers.every(({ at }) => !this.#isExcused(at));
  }

  #isExcused(at: number): boolean {
    return this.lossWindows.some(({ from, to }) => from <= at && at <= to);
  }
}
