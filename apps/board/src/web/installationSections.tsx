import type { Overview, StatusAnswer } from '../live/liveState.ts';
import { bytes, count, counted, duration, percent } from './formats.ts';
import { Badge, Empty, Fact, now, Section, Time } from './parts.tsx';
import { h, type JSX } from './vendor/preact.mjs';

type Lane = StatusAnswer['lanes'][number];

/** A lane that needs no look: nothing waits, and somebody would work it. */
const isIdle = ({ jobs, worker }: Lane) => jobs === 0 && worker !== null;
const KINDS: Record<string, string> = { send: 'single sends', fanout: 'fan-out' };

/** What waits on each lane, and who works it. */
export function LanesSection({ status }: { status: StatusAnswer }): JSX.Element {
  const { lanes, lanes_changing_to: next } = status;
  const busy = lanes.filter((lane) => !isIdle(lane));
  const idle = lanes.filter(isIdle);
  const waiting = lanes.reduce((sum, { backlog }) => sum + backlog, 0);
  return (
    <Section
      title="Backlog"
      aside={<p class="aside">{waiting > 0 ? `about ${counted(waiting, 'recipient')} wait` : 'nothing waits'}</p>}
    >
      {next !== null && <p class="hint">The number of lanes is changing to {count(next)} of each kind.</p>}
      {lanes.length === 0 && <Empty>There are no lanes yet: start a worker, it makes them.</Empty>}
      {busy.length > 0 && <LaneTable lanes={busy} caption="Lanes with work, or without a worker" />}
      {idle.length > 0 && (
        <details>
          <summary>
            {counted(idle.length, 'idle lane')}
            {busy.length === 0 && ', all of them with a worker'}
          </summary>
          <LaneTable lanes={idle} caption="Idle lanes" />
        </details>
      )}
    </Section>
  );
}

function LaneTable({ lanes, caption }: { lanes: Lane[]; caption: string }): JSX.Element {
  return (
    <table>
      <caption class="hidden">{caption}</caption>
      <thead>
        <tr>
          <th scope="col">Lane</th>
          <th scope="col" class="wide">
            For
          </th>
          <th scope="col">Worker</th>
          <th scope="col" class="number wide">
            Jobs
          </th>
          <th scope="col" class="number">
            Recipients
          </th>
          <th scope="col" class="number">
            Oldest wait
          </th>
        </tr>
      </thead>
      <tbody>
        {lanes.map(({ name, kind, worker, jobs, backlog, oldest_job_at: oldest }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td class="wide">{KINDS[kind] ?? kind}</td>
            <td>
              {worker ?? (
                <Badge shape="warning" tone="degraded">
                  nobody
                </Badge>
              )}
            </td>
            <td class="number wide">{count(jobs)}</td>
            <td class="number">{count(backlog)}</td>
            <td class="number">{oldest === null ? '–' : duration(Math.max(0, Math.round(now() - oldest)))}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** How soon what was stored can be found. */
export function SearchSection({ overview: { freshness, status } }: { overview: Overview }): JSX.Element {
  const oldest = status?.index.oldest_job_at ?? null;
  return (
    <Section title="Search">
      <dl class="facts">
        <Fact name="Half findable after">{freshness ? duration(freshness.median) : '–'}</Fact>
        <Fact name="99 % findable after">{freshness ? duration(freshness.p99) : '–'}</Fact>
        <Fact name="Waiting to be indexed">{status ? counted(status.index.jobs, 'job') : '–'}</Fact>
        <Fact name="Oldest wait">{oldest === null ? '–' : duration(Math.max(0, Math.round(now() - oldest)))}</Fact>
      </dl>
      {!freshness && <p class="hint">Nothing was indexed in the last minute.</p>}
    </Section>
  );
}

/** Redis refuses writes above this share (docs/api.md §1, 429). */
const FULL = 0.8;

export function MemorySection({ status }: { status: StatusAnswer }): JSX.Element {
  return (
    <Section title="Redis memory">
      <ul class="nodes">
        {status.redis.map(({ node, memory_bytes: used, memory_max_bytes: max }) => (
          <li key={node}>
            <p>
              {status.redis.length > 1 && <span class="node">{node}</span>}
              <span class="strong">{bytes(used)}</span>
              {max > 0 ? ` of ${bytes(max)} · ${percent(used, max)}` : ', no ceiling is set'}
            </p>
            {max > 0 && (
              <meter
                min={0}
                max={max}
                high={max * FULL}
                optimum={0}
                value={Math.min(used, max)}
                aria-label={`Memory${node === '' ? '' : ` of ${node}`}`}
              />
            )}
          </li>
        ))}
      </ul>
      <p class="hint">
        {status.redis.some(({ memory_max_bytes: max }) => max <= 0)
          ? 'Set maxmemory: above 80 % of it sends are refused (429), before the machine has none left.'
          : 'Above 80 % sends are refused (429) until memory is free.'}
      </p>
    </Section>
  );
}

export function ProcessesSection({ status: { processes } }: { status: StatusAnswer }): JSX.Element {
  return (
    <Section title="Processes" aside={<p class="aside">{counted(processes.length, 'process', 'processes')}</p>}>
      {processes.length === 0 && <Empty>No process has reported. Start one, for example with npm start.</Empty>}
      {processes.length > 0 && (
        <table>
          <caption class="hidden">Processes that run</caption>
          <thead>
            <tr>
              <th scope="col">Role</th>
              <th scope="col">Name</th>
              <th scope="col" class="wide">
                Host
              </th>
              <th scope="col" class="wide">
                Version
              </th>
              <th scope="col">Started</th>
              <th scope="col" class="wide">
                Lanes
              </th>
            </tr>
          </thead>
          <tbody>
            {processes.map(({ name, role, host, version, since, lanes }) => (
              <tr key={name}>
                <th scope="row">{role}</th>
                <td>{name}</td>
                <td class="wide">{host}</td>
                <td class="wide">{version}</td>
                <td>
                  <Time at={since} />
                </td>
                <td class="wide">{lanes.length === 0 ? '–' : <span title={lanes.join(', ')}>{lanes.length}</span>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}
