import type {
  About,
  BroadcastFailure,
  BroadcastPage,
  BroadcastState,
  BroadcastView,
  DeadView,
  LetterDetails,
  Overview,
  PartAnswer,
  Throughput,
} from '../live/liveState.ts';

/** Everything that the page shows follows from this. */
export interface State {
  /** of the address */
  path: string;
  about?: About;
  /** the latest of each thing that was read */
  overview?: Overview;
  /** of the last five minutes, the oldest first */
  history: Throughput[];
  /** whether the board tells what happens */
  isConnected: boolean;
  view?: BroadcastView;
  /** actions that have no answer yet, by their names */
  busy: ReadonlySet<string>;
  notice?: { isProblem: boolean; text: string };
  /** the page of all broadcasts */
  list?: BroadcastPage & { state: BroadcastState | '' };
  /** of the broadcast that is shown, and how many had failed when they were read */
  failures?: { no: string; failed: number; shown: BroadcastFailure[] };
  /** the dead letters, while their page is open */
  dead?: DeadView;
  /** the one that is shown whole */
  letter?: LetterDetails;
  /** the list that is being uploaded, or was */
  upload?: Upload;
}

export interface Upload {
  no: string;
  file: string;
  /** bytes */
  sent: number;
  size: number;
  answer?: PartAnswer;
}

let state: State = { path: location.pathname, history: [], isConnected: true, busy: new Set() };
let onChange = () => {};
let isScheduled = false;

export const current = (): State => state;

/** Changes what is shown. Several changes of one moment are drawn once. */
export function change(changes: Partial<State>): void {
  state = { ...state, ...changes };
  if (isScheduled) return;
  isScheduled = true;
  queueMicrotask(() => {
    isScheduled = false;
    onChange();
  });
}

/** Takes something away again. */
export function forget(...names: ('notice' | 'list' | 'failures' | 'upload' | 'view' | 'dead' | 'letter')[]): void {
  state = { ...state };
  for (const name of names) delete state[name];
  change({});
}

export function onStateChange(listener: () => void): void {
  onChange = listener;
}
