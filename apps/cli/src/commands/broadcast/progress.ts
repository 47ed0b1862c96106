import { type BroadcastAnswer, isFinished } from '@ruyi/client';
import { Presets, SingleBar } from 'cli-progress';
import { count, duration } from '../../terminal/formats.ts';

const LINE_EVERY_MS = 5000;

/** Shows how something goes on: a bar on a terminal, otherwise a line every 5 s. */
export interface ProgressView {
  upload(done: number, total: number | undefined, answer: { recipients: number }): void;
  report(report: BroadcastAnswer): void;
  /** Ends the bar, so that what follows stands below it. */
  close(): void;
}

/** For `--json`: only the answer at the end is printed. */
export const noProgress: ProgressView = { upload() {}, report() {}, close() {} };

export function progressView(stream: NodeJS.WriteStream): ProgressView {
  return stream.isTTY ? new Bars(stream) : new Lines((line) => stream.write(`${line}\n`));
}

/** Where a report stands, in words: `60,000 of 200,000 stored, 5,012/s, 28 s left, 0 failed`. */
export function reportLine({
  state,
  total,
  stored,
  failed,
  cancelled,
  rate_now,
  eta_seconds,
}: BroadcastAnswer): string {
  const parts = [`${count(stored)} of ${count(total)} stored`];
  if (state === 'running') parts.push(`${count(rate_now)}/s`, `${duration(eta_seconds)} left`);
  parts.push(`${count(failed)} failed`);
  if (cancelled > 0) parts.push(`${count(cancelled)} cancelled`);
  return `${state}: ${parts.join(', ')}`;
}

class Lines implements ProgressView {
  readonly #say: (line: string) => void;
  #next = 0;
  #state = '';

  constructor(say: (line: string) => void) {
    this.#say = say;
  }
  upload(done: number, total: number | undefined, { recipients }: { recipients: number }): void {
    const share = total === undefined ? '' : ` (${Math.floor((done / total) * 100)} %)`;
    this.#at(`uploading: ${count(recipients)} recipients${share}`, done === total);
  }
  report(report: BroadcastAnswer): void {
    // What became of it is said by the summary.
    if (!isFinished(report)) this.#at(reportLine(report), report.state !== this.#state);
    this.#state = report.state;
  }
  /** Every 5 s, and at once what is no step on the way. */
  #at(line: string, isNews: boolean): void {
    const now = performance.now();
    if (!isNews && now < this.#next) return;
    this.#next = now + LINE_EVERY_MS;
    this.#say(line);
  }
  close(): void {}
}

const UPLOAD = 'uploading {bar} {percentage} %  {recipients} recipients';
const SENDING = '{state} {bar} {percentage} %  {stored} of {all}  {rate}/s  {left} left  {failed} failed';

class Bars implements ProgressView {
  readonly #stream: NodeJS.WriteStream;
  #bar: SingleBar | undefined;
  #format = '';

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }
  upload(done: number, total: number | undefined, { recipients }: { recipients: number }): void {
    // Of standard input nobody knows the end.
    this.#show(UPLOAD, done, total ?? Math.max(1, done), { recipients: count(recipients) });
  }
  report(report: BroadcastAnswer): void {
    const { state, total, stored, failed, rate_now, eta_seconds } = report;
    this.#show(SENDING, stored + failed, Math.max(1, total), {
      state,
      stored: count(stored),
      all: count(total),
      rate: count(rate_now),
      left: state === 'running' ? duration(eta_seconds) : '-',
      failed: count(failed),
    });
  }
  #show(format: string, value: number, total: number, texts: Record<string, string>): void {
    if (this.#bar === undefined || this.#format !== format) {
      this.close();
      this.#format = format;
      this.#bar = new SingleBar({ format, stream: this.#stream, barsize: 24, etaBuffer: 1 }, Presets.shades_classic);
      this.#bar.start(total, value, texts);
    }
    this.#bar.setTotal(total);
    this.#bar.update(value, texts);
    this.#bar.render();
  }
  close(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}
