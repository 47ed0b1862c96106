import type { Throughput } from '../live/liveState.ts';
import { count } from './formats.ts';
import { Empty, Section } from './parts.tsx';
import { current } from './state.ts';
import { Component, createRef, h, type JSX } from './vendor/preact.mjs';
import uPlot from './vendor/uPlot.mjs';

const HEIGHT = 240;
const WINDOW_S = 300;
/** Readings are five seconds apart; after a longer pause nobody has looked. */
const GAP_S = 15;

/** Recipients and messages a second, of the last five minutes. */
export function ThroughputSection(): JSX.Element {
  const { history, overview } = current();
  const last = overview?.throughput;
  return (
    <Section
      title="Throughput"
      aside={
        <p class="aside">
          <span class="key fanout">{last ? count(last.fanout) : '–'} recipients/s</span>{' '}
          <span class="key send">{last ? count(last.send) : '–'} messages/s</span>
        </p>
      }
    >
      {history.length < 2 ? (
        <Empty>Counting. The first points are here in ten seconds; this is recorded while somebody looks.</Empty>
      ) : (
        <Chart history={history} at={overview?.at ?? 0} />
      )}
    </Section>
  );
}

interface ChartProps {
  history: Throughput[];
  /** the right end */
  at: number;
}

/** uPlot draws on a canvas, which a screen reader cannot read: the numbers above and this label are for it. */
class Chart extends Component<ChartProps> {
  readonly #place = createRef<HTMLDivElement>();
  readonly #dark = matchMedia('(prefers-color-scheme: dark)');
  readonly #redraw = () => this.#draw();
  #plot: uPlot | undefined;

  override componentDidMount(): void {
    this.#draw();
    addEventListener('resize', this.#redraw);
    this.#dark.addEventListener('change', this.#redraw);
  }

  override componentDidUpdate(): void {
    this.#plot?.setData(columns(this.props.history));
    this.#plot?.setScale('x', { min: this.props.at - WINDOW_S, max: this.props.at });
  }

  override componentWillUnmount(): void {
    removeEventListener('resize', this.#redraw);
    this.#dark.removeEventListener('change', this.#redraw);
    this.#plot?.destroy();
  }

  #draw(): void {
    const place = this.#place.current;
    if (!place) return;
    this.#plot?.destroy();
    this.#plot = new uPlot(optionsFor(place), columns(this.props.history), place);
    this.componentDidUpdate();
  }

  render(): JSX.Element {
    const most = Math.max(0, ...this.props.history.map(({ fanout }) => fanout));
    const text = `Stored recipients and messages a second in the last five minutes. At most ${count(most)} recipients a second.`;
    return <div class="chart" role="img" aria-label={text} ref={this.#place} />;
  }
}

/** As uPlot takes it. Where nobody looked there is a gap. */
function columns(history: Throughput[]): uPlot.AlignedData {
  const times: number[] = [];
  const fanout: (number | null)[] = [];
  const send: (number | null)[] = [];
  for (const point of history) {
    const before = times.at(-1);
    if (before !== undefined && point.at - before > GAP_S) {
      times.push(before + 1);
      fanout.push(null);
      send.push(null);
    }
    times.push(point.at);
    fanout.push(point.fanout);
    send.push(point.send);
  }
  return [times, fanout, send];
}

function optionsFor(place: HTMLElement): uPlot.Options {
  const style = getComputedStyle(place);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: colour('--quiet'),
    font: `12px ${style.fontFamily}`,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  const series = (label: string, stroke: string, more: Partial<uPlot.Series> = {}): uPlot.Series => ({
    label,
    stroke,
    width: 2,
    points: { show: false },
    ...more,
  });
  return {
    width: place.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_, __, max) => [0, Math.max(10, max * 1.1)] } },
    axes: [
      { ...axis, grid: { show: false }, values: (_, times) => times.map((time) => clock(time)), space: 90, size: 30 },
      { ...axis, size: 64, values: (_, values) => values.map((value) => short(value)) },
    ],
    series: [
      {},
      series('recipients/s', colour('--accent'), { fill: colour('--accent-soft') }),
      series('messages/s', colour('--second'), { dash: [6, 4] }),
    ],
  };
}

const clock = (time: number) => new Date(time * 1000).toTimeString().slice(0, 8);
const short = (n: number) => (n >= 10_000 ? `${count(n / 1000)}k` : count(n));
