import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import {
  type BroadcastAnswer,
  type BroadcastRequest,
  type InvalidLine,
  isFinished,
  type RuyiClient,
  RuyiError,
} from '@ruyi/client';
import { bytes, count, duration, printable, time } from '../../terminal/formats.ts';
import { UsageError } from '../../usageError.ts';
import type { BroadcastPlan } from './broadcastOptions.ts';
import { INTERRUPTED, Interrupted, onInterrupt } from './interrupt.ts';
import { noProgress, type ProgressView, progressView } from './progress.ts';
import { inspectList, partBytesOf } from './recipientList.ts';
import { InvalidLines, uploadFile, uploadStream } from './uploadList.ts';
import { readState, removeState, stateFileOf, type UploadState, writeState } from './uploadState.ts';
import { exitCodeOf, printReport, watch } from './watch.ts';

const note = (line: string) => process.stderr.write(`${line}\n`);

/** What a run needs besides its plan. */
interface Run {
  client: RuyiClient;
  plan: BroadcastPlan;
  view: ProgressView;
  signal: AbortSignal;
  invalid: InvalidLines;
}

/** `ruyi broadcast`: creates, uploads, asks, starts and watches. @returns the exit code */
export async function sendBroadcast(openApi: () => Promise<RuyiClient>, plan: BroadcastPlan): Promise<number> {
  const isTerminal = process.stdin.isTTY === true && process.stderr.isTTY === true;
  if (!plan.isConfirmed && !plan.isDryRun && (!isTerminal || plan.list === '-')) {
    throw new UsageError('nobody can be asked here: add --yes to send it, or --dry-run to see what it would take');
  }
  const prepared = plan.list === undefined || plan.list === '-' ? undefined : await prepareList(plan.list, plan);
  const client = await openApi();
  const interrupt = onInterrupt();
  const view = plan.isJson ? noProgress : progressView(process.stdout);
  const run = { client, plan, view, signal: interrupt.signal, invalid: new InvalidLines() };
  let goesOn = '';
  try {
    const broadcast_no = await upload(run, prepared, (line) => {
      goesOn = line;
    });
    view.close();
    run.invalid.show(note);
    const open = await client.broadcastReport({ broadcast_no }, { signal: run.signal });
    if (open.state === 'open' && !(await mayStart(run, open))) return await callOff(run, broadcast_no);
    goesOn = `it goes on; watch it with: ruyi broadcast watch ${broadcast_no}`;
    return await startAndWatch(run, broadcast_no, open.state === 'open');
  } catch (error) {
    view.close();
    if (!(error instanceof Interrupted)) throw error;
    note(goesOn || 'interrupted before anything was begun');
    return INTERRUPTED;
  } finally {
    interrupt.close();
  }
}

type Prepared = Awaited<ReturnType<typeof inspectList>> & { file: string; state: UploadState };

/** Reads the list, and what a former run has noted about it. @throws UsageError if they do not fit */
async function prepareList(file: string, { isResumed, isDryRun, request }: BroadcastPlan): Promise<Prepared> {
  const known = isDryRun ? undefined : readState(file);
  if (known && !isResumed) {
    throw new UsageError(
      `${file} was begun as ${known.broadcast_no || 'a broadcast'}: go on with --resume, or remove ${stateFileOf(file)} to begin another`,
    );
  }
  if (!known && isResumed) throw new UsageError(`${stateFileOf(file)} is not there: nothing of this list was begun`);
  const facts = await inspectList(file, known?.offset ?? 0);
  const list = { bytes: facts.bytes, digest: facts.digest };
  if (known) {
    if (known.list.digest !== list.digest) {
      throw new UsageError(`${file} is not the list that was begun as ${known.broadcast_no}: it has changed since`);
    }
    const { payload, from_uid } = request;
    if (
      (payload ?? known.request.payload) !== known.request.payload ||
      (from_uid ?? known.request.from_uid) !== known.request.from_uid
    ) {
      throw new UsageError(`${file} was begun with another message or sender; --resume goes on with that one`);
    }
    return { ...facts, file, state: known };
  }
  const { start: offset } = facts;
  const part_bytes = partBytesOf(facts.bytes);
  const state = {
    version: 1,
    list,
    request: keyed(request),
    broadcast_no: '',
    part_bytes,
    parts: 0,
    offset,
    lines: 0,
  } as const;
  return { ...facts, file, state };
}

/** With the key under which a repeat of the creation, even by another process, creates nothing new. */
const keyed = ({ payload = '', ...request }: BroadcastPlan['request']): BroadcastRequest => ({
  ...request,
  payload,
  client_msg_no: randomUUID(),
});

/** @returns the number of the broadcast, which has all its recipients */
async function upload(run: Run, list: Prepared | undefined, say: (goesOn: string) => void): Promise<string> {
  const { client, plan, signal } = run;
  const uploading = { ...run, onInvalid: (line: InvalidLine) => run.invalid.add(line) };
  if (!list) {
    const { broadcast_no } = await client.createBroadcast(keyed(plan.request), { signal });
    say(`${broadcast_no} is not started; remove it with: ruyi broadcast cancel ${broadcast_no}`);
    if (plan.list === '-') await uploadStream(process.stdin, broadcast_no, uploading);
    return broadcast_no;
  }
  const { file, hash } = list;
  if (plan.isDryRun) return uploadForEstimate(uploading, list);
  // Before the creation: its key must outlive this process.
  writeState(file, list.state);
  const broadcast_no =
    list.state.broadcast_no || (await client.createBroadcast(list.state.request, { signal })).broadcast_no;
  const state = { ...list.state, broadcast_no };
  writeState(file, state);
  say(`${broadcast_no} is not started; go on with --resume, or remove it with: ruyi broadcast cancel ${broadcast_no}`);
  const { state: stands } = await client.broadcastReport({ broadcast_no }, { signal });
  if (stands === 'open') await uploadFile(file, state, hash, uploading);
  return broadcast_no;
}

async function uploadForEstimate(
  uploading: Run & { onInvalid(line: InvalidLine): void },
  { file, state }: Prepared,
): Promise<string> {
  const { client, signal } = uploading;
  const { broadcast_no } = await client.createBroadcast(state.request, { signal });
  const { createReadStream } = await import('node:fs');
  await uploadStream(createReadStream(file, { start: state.offset }), broadcast_no, uploading);
  return broadcast_no;
}

/** Shows what it would take and, unless told not to, asks. */
async function mayStart({ plan, signal }: Run, open: BroadcastAnswer): Promise<boolean> {
  if (!plan.isJson) for (const line of estimateLines(plan, open)) note(line);
  if (plan.isDryRun) return false;
  if (plan.isConfirmed) return true;
  const question = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const when = plan.request.start_at ? `at ${time(plan.request.start_at)}` : 'now';
    return /^y(es)?$/i.test((await question.question(`Send it ${when}? [y/N] `, { signal })).trim());
  } finally {
    question.close();
  }
}

function estimateLines({ request, list }: BroadcastPlan, open: BroadcastAnswer): string[] {
  const { accepted, duplicates, invalid, estimate } = open;
  const who =
    list === undefined
      ? 'taken at the start'
      : `${count(accepted - duplicates)} (${count(duplicates)} named twice, ${count(invalid)} invalid lines)`;
  const audience =
    request.audience && ('known_users' in request.audience ? 'all users' : `channel ${request.audience.channel_id}`);
  return [
    `broadcast ${open.broadcast_no}${open.name === '' ? '' : ` "${printable(open.name)}"`}`,
    `  recipients  ${audience === undefined ? '' : `${audience}, `}${who}`,
    `  memory      about ${bytes(estimate.redis_bytes)} of Redis`,
    `  time        about ${duration(estimate.seconds)}`,
  ];
}

async function callOff({ client, plan }: Run, broadcast_no: string): Promise<number> {
  const report = await client.broadcastReport({ broadcast_no });
  await client.cancelBroadcast({ broadcast_no });
  if (plan.list !== undefined && plan.list !== '-' && !plan.isDryRun) removeState(plan.list);
  if (plan.isJson) process.stdout.write(`${JSON.stringify(report)}\n`);
  else note('nothing was sent');
  return plan.isDryRun ? 0 : 3;
}

async function startAndWatch(
  { client, plan, view, signal }: Run,
  broadcast_no: string,
  isOpen: boolean,
): Promise<number> {
  if (isOpen) await start(client, broadcast_no, signal);
  const report = await client.broadcastReport({ broadcast_no }, { signal });
  if (report.state === 'scheduled') {
    if (!plan.isJson)
      note(
        `it starts by itself${plan.request.start_at ? ` at ${time(plan.request.start_at)}` : ''}; watch it with: ruyi broadcast watch ${broadcast_no}`,
      );
    forget(plan);
    printReport(report, plan.isJson);
    return 0;
  }
  try {
    const last = await watch(client, broadcast_no, { view, signal });
    forget(plan);
    printReport(last, plan.isJson);
    return exitCodeOf(last);
  } catch (error) {
    // Who is told how to watch it need not resume it.
    if (error instanceof Interrupted) forget(plan);
    throw error;
  }
}

/** A repeat of a start whose answer was lost may find it finished. */
async function start(client: RuyiClient, broadcast_no: string, signal: AbortSignal): Promise<void> {
  try {
    await client.startBroadcast({ broadcast_no }, { signal });
  } catch (error) {
    const isLate = error instanceof RuyiError && error.code === 'wrong_state';
    if (!isLate || !isFinished(await client.broadcastReport({ broadcast_no }, { signal }))) throw error;
  }
}

function forget({ list }: BroadcastPlan): void {
  if (list !== undefined && list !== '-') removeState(list);
}
