import type { BroadcastFailure, ShownBroadcast } from '../live/liveState.ts';
import { count } from './formats.ts';
import { Empty, Section, Time } from './parts.tsx';
import { ask, say } from './server.ts';
import { change, current } from './state.ts';
import { h, type JSX } from './vendor/preact.mjs';

/** Reads the first failures of the broadcast that is shown, if their number has changed since. */
export async function readFailures(): Promise<void> {
  const broadcast = current().view?.broadcast;
  if (broadcast === undefined) return;
  const { broadcast_no: no, failed } = broadcast;
  const { failures } = current();
  if (failures?.no === no ? failures.failed === failed : failed === 0) return;
  change({ failures: { no, failed, shown: failures?.no === no ? failures.shown : [] } });
  try {
    const { failures: shown } = await ask<{ failures: BroadcastFailure[] }>(`/data/broadcasts/${no}/failures`);
    change({ failures: { no, failed, shown } });
  } catch (error) {
    say(error);
  }
}

export function FailuresSection({ broadcast }: { broadcast: ShownBroadcast }): JSX.Element {
  const { broadcast_no: no, failed } = broadcast;
  const { failures } = current();
  const shown = failures?.no === no ? failures.shown : [];
  return (
    <Section
      title="Failures"
      aside={
        failed > 0 && (
          <a class="button" href={`/broadcasts/${no}/failures.ndjson`} download>
            Download all {count(failed)}
          </a>
        )
      }
    >
      {failed === 0 && <Empty>It has failed for nobody.</Empty>}
      {failed > 0 && (
        <p>
          It could not be stored for these recipients. <a href="/dead">Dead letters</a> say why and how to mend it; then
          retry.
        </p>
      )}
      {failed > 0 && shown.length > 0 && <FailureTable failures={shown} />}
      {failed > shown.length && shown.length > 0 && (
        <p class="hint">
          The first {count(shown.length)} of {count(failed)}; the download has all of them.
        </p>
      )}
    </Section>
  );
}

function FailureTable({ failures }: { failures: BroadcastFailure[] }): JSX.Element {
  return (
    <table>
      <caption class="hidden">Recipients for whom it failed</caption>
      <thead>
        <tr>
          <th scope="col">User id</th>
          <th scope="col">Reason</th>
          <th scope="col" class="wide">
            Code
          </th>
          <th scope="col" class="wide">
            When
          </th>
        </tr>
      </thead>
      <tbody>
        {failures.map(({ uid, reason, code, at }) => (
          <tr key={uid}>
            <th scope="row">{uid}</th>
            <td>{reason}</td>
            <td class="wide">{code}</td>
            <td class="wide">
              <Time at={at} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
