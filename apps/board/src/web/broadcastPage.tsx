import type { ShownBroadcast } from '../live/liveState.ts';
import { leftOf, roomText, titleOf } from './broadcastActions.ts';
import { Actions, Progress, StateBadge } from './broadcastRow.tsx';
import { FailuresSection } from './failuresSection.tsx';
import { ago, bytes, count, counted, duration, exactTime } from './formats.ts';
import { Fact, now, Section, Time } from './parts.tsx';
import { current } from './state.ts';
import { uploadFile } from './uploadFile.ts';
import { UploadReport } from './uploadReport.tsx';
import { h, type JSX } from './vendor/preact.mjs';

/** Everything about one broadcast. */
export function BroadcastPage({ no }: { no: string }): JSX.Element {
  const { view } = current();
  const broadcast = view?.no === no ? view.broadcast : undefined;
  if (broadcast === undefined) {
    return (
      <main>
        <h1>Broadcast {no}</h1>
        <p class="empty">
          {view?.problem ? `${view.problem.message} ${view.problem.fix}` : 'Reading …'}{' '}
          <a href="/broadcasts">All broadcasts</a>
        </p>
      </main>
    );
  }
  return (
    <main>
      <div class="title">
        <div>
          <p class="above">
            <a href="/broadcasts">Broadcasts</a> / {no}
          </p>
          <h1>{titleOf(broadcast)}</h1>
        </div>
        <Actions broadcast={broadcast} isReview />
      </div>
      <section class={`report ${broadcast.state}`} aria-label="Progress">
        <p class="line">
          <StateBadge state={broadcast.state} />
          <span>
            from {broadcast.from_uid || 'the system'}
            {broadcast.is_batch && ' · a batch of sendbatch: it can be watched, not changed'}
            {startText(broadcast)}
          </span>
        </p>
        <Progress broadcast={broadcast} />
      </section>
      {broadcast.state === 'open' && <RecipientsSection broadcast={broadcast} />}
      <NumbersSection broadcast={broadcast} />
      {broadcast.state !== 'open' && <FailuresSection broadcast={broadcast} />}
    </main>
  );
}

/** When it begins, as long as it has not. */
function startText({ state, start_at }: ShownBroadcast): string {
  if (start_at <= now() || (state !== 'open' && state !== 'scheduled')) return '';
  const when = `${exactTime(start_at)}, ${ago(start_at, now())}`;
  return state === 'scheduled' ? ` · starts ${when}` : ` · to be sent ${when}`;
}

/** Lists can be added until it is sent. */
function RecipientsSection({ broadcast }: { broadcast: ShownBroadcast }): JSX.Element {
  const { broadcast_no: no, accepted, total, estimate } = broadcast;
  const { upload, about } = current();
  const own = upload?.no === no ? upload : undefined;
  const isUploading = own !== undefined && own.answer === undefined;
  return (
    <Section title="Recipients">
      {own && <UploadReport upload={own} />}
      {accepted === 0 && (
        <p>Upload a list. If it is meant for everybody or for a channel, its recipients are counted when it is sent.</p>
      )}
      {accepted > 0 && (
        <p class="estimate">
          <span class="strong">{counted(total, 'recipient')}</span> take about {bytes(estimate.redis_bytes)} of Redis
          memory and {duration(estimate.seconds)}
          {roomText()}.
        </p>
      )}
      {!about?.isReadOnly && !isUploading && (
        <div class="field">
          <label for="more">{accepted === 0 ? 'List' : 'Add another list'}</label>
          <input
            id="more"
            type="file"
            accept=".txt,.csv,.list,.gz,text/plain"
            onChange={({ currentTarget: { files } }) => {
              const [file] = files ?? [];
              if (file) void uploadFile(no, file);
            }}
          />
          <p class="hint">One user id a line. Whoever is in several lists receives it once.</p>
        </div>
      )}
    </Section>
  );
}

function NumbersSection({ broadcast }: { broadcast: ShownBroadcast }): JSX.Element {
  const { accepted, duplicates, invalid, total, stored, failed, cancelled, indexed, estimate, rate } = broadcast;
  return (
    <Section title="Report">
      <dl class="facts many">
        <Fact name="Accepted">{count(accepted)}</Fact>
        <Fact name="Duplicates">{count(duplicates)}</Fact>
        <Fact name="Invalid lines">{count(invalid)}</Fact>
        <Fact name="Recipients">{count(total)}</Fact>
        <Fact name="Stored">{count(stored)}</Fact>
        <Fact name="Failed">{count(failed)}</Fact>
        <Fact name="Cancelled">{count(cancelled)}</Fact>
        <Fact name="Left">{count(leftOf(broadcast))}</Fact>
        <Fact name="Findable">{count(indexed)}</Fact>
        <Fact name="Estimated memory">{bytes(estimate.redis_bytes)}</Fact>
        <Fact name="Estimated time">{duration(estimate.seconds)}</Fact>
        <Fact name="At most">{rate > 0 ? `${count(rate)}/s` : '–'}</Fact>
        <Fact name="Created">
          <Time at={broadcast.created_at} />
        </Fact>
        <Fact name="Scheduled for">
          <Time at={broadcast.start_at} />
        </Fact>
        <Fact name="Started">
          <Time at={broadcast.started_at} />
        </Fact>
        <Fact name="Ended">
          <Time at={broadcast.finished_at} />
        </Fact>
      </dl>
    </Section>
  );
}
