import type { TargetedEvent } from 'preact';
import { whenHint } from './confirm.ts';
import { bytes, localMinute, secondsOf } from './formats.ts';
import { go } from './navigation.ts';
import { act } from './server.ts';
import { current, forget } from './state.ts';
import { uploadFile } from './uploadFile.ts';
import { UploadReport } from './uploadReport.tsx';
import { Component, h, type JSX } from './vendor/preact.mjs';

type Audience = 'list' | 'known_users' | 'channel';

interface FormState {
  audience: Audience;
  file?: File | undefined;
  /** when it is to be sent, in seconds; 0: once somebody sends it */
  startAt: number;
  /** it is being created, or its list uploaded */
  isBusy: boolean;
}

const CHOICES: [Audience, string, string][] = [
  ['list', 'A list', 'a text file with one user id a line, any length; .gz is fine'],
  ['known_users', 'Everybody', 'who is registered with /user/token when it starts'],
  ['channel', 'A channel', 'who is subscribed to it when it starts'],
];

/** A text, its recipients, and then the page of the broadcast, where it is reviewed and sent. */
export class NewBroadcastPage extends Component<object, FormState> {
  override state: FormState = { audience: 'list', startAt: 0, isBusy: false };
  /** a second click, or a repeat after a lost answer, creates nothing new */
  readonly #key = randomKey();
  /** what an earlier try created, if only its upload failed */
  #no: string | undefined;

  readonly #submit = async (event: TargetedEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    this.setState({ isBusy: true });
    const { audience, file } = this.state;
    this.#no ??= await create(fields, audience, this.#key);
    const uploaded = this.#no !== undefined && audience === 'list' && file ? await uploadFile(this.#no, file) : true;
    this.setState({ isBusy: false });
    if (this.#no !== undefined && uploaded) go(`/broadcasts/${this.#no}`);
  };

  render(_: object, { audience, file, startAt, isBusy }: FormState): JSX.Element {
    const { upload, about } = current();
    if (about?.isReadOnly) {
      return (
        <main>
          <h1>New broadcast</h1>
          <p class="empty">This board only shows (BOARD_READONLY=1), so nothing can be created here.</p>
        </main>
      );
    }
    return (
      <main class="narrow">
        <h1>New broadcast</h1>
        <form onSubmit={this.#submit}>
          <MessageFields />
          <PaceFields startAt={startAt} onStart={(at) => this.setState({ startAt: at })} />
          <fieldset>
            <legend>Recipients</legend>
            {CHOICES.map(([value, title, hint]) => (
              <label key={value} class="choice">
                <input
                  type="radio"
                  name="audience"
                  value={value}
                  checked={audience === value}
                  onChange={() => this.setState({ audience: value })}
                />
                <span>
                  {title} <span class="hint">{hint}</span>
                </span>
              </label>
            ))}
            {audience === 'list' && (
              <div class="field">
                <label for="file">List</label>
                <input
                  id="file"
                  type="file"
                  required
                  accept=".txt,.csv,.list,.gz,text/plain"
                  onChange={({ currentTarget: { files } }) => this.setState({ file: files?.[0] })}
                />
                {file && <p class="hint">{bytes(file.size)}</p>}
              </div>
            )}
            {audience === 'channel' && <ChannelFields />}
          </fieldset>
          {upload && isBusy && <UploadReport upload={upload} />}
          <p class="hint">Nothing is sent yet: the next page shows how many recipients it has and what it takes.</p>
          <div class="buttons">
            <a class="button" href="/">
              Back
            </a>
            <button class="primary" type="submit" disabled={isBusy}>
              {audience === 'list' ? 'Upload and review' : 'Review'}
            </button>
          </div>
        </form>
      </main>
    );
  }
}

function MessageFields(): JSX.Element {
  return (
    <fieldset>
      <legend>Message</legend>
      <div class="field">
        <label for="text">Text</label>
        <textarea id="text" name="text" rows={4} required />
      </div>
      <div class="pair">
        <div class="field">
          <label for="from">From</label>
          <input id="from" name="from_uid" maxLength={128} autocomplete="off" aria-describedby="from-hint" />
          <p class="hint" id="from-hint">
            User id of the sender; empty: the system.
          </p>
        </div>
        <div class="field">
          <label for="name">Name</label>
          <input id="name" name="name" maxLength={128} autocomplete="off" aria-describedby="name-hint" />
          <p class="hint" id="name-hint">
            For you; recipients do not see it.
          </p>
        </div>
      </div>
    </fieldset>
  );
}

function PaceFields({ startAt, onStart }: { startAt: number; onStart(at: number): void }): JSX.Element {
  return (
    <fieldset>
      <legend>Time</legend>
      <div class="pair">
        <div class="field">
          <label for="start">Send at</label>
          <input
            id="start"
            name="start_at"
            type="datetime-local"
            min={localMinute(Date.now() / 1000)}
            aria-describedby="start-hint"
            onInput={({ currentTarget: { value } }) => onStart(secondsOf(value))}
          />
          <p class="hint" id="start-hint">
            {whenHint(startAt)}
          </p>
        </div>
        <div class="field">
          <label for="rate">At most</label>
          <input
            id="rate"
            name="rate"
            type="number"
            min={0}
            max={1_000_000_000}
            step={1}
            aria-describedby="rate-hint"
          />
          <p class="hint" id="rate-hint">
            Recipients a second; empty: as fast as it goes.
          </p>
        </div>
      </div>
    </fieldset>
  );
}

function ChannelFields(): JSX.Element {
  return (
    <div class="pair">
      <div class="field">
        <label for="channel">Channel id</label>
        <input id="channel" name="channel_id" required maxLength={128} autocomplete="off" />
      </div>
      <div class="field">
        <label for="type">Channel type</label>
        <input id="type" name="channel_type" type="number" required min={2} max={255} defaultValue="2" />
      </div>
    </div>
  );
}

/** @returns its number, or undefined if it was refused */
async function create(fields: FormData, audience: Audience, key: string): Promise<string | undefined> {
  const text = (name: string) => String(fields.get(name) ?? '');
  const body = {
    text: text('text'),
    name: text('name'),
    from_uid: text('from_uid'),
    rate: Number(text('rate')),
    start_at: secondsOf(text('start_at')),
    client_msg_no: key,
    ...(audience === 'known_users' ? { audience: { known_users: true } } : {}),
    ...(audience === 'channel'
      ? { audience: { channel_id: text('channel_id'), channel_type: Number(text('channel_type')) } }
      : {}),
  };
  forget('upload');
  const created = await act<{ broadcast_no: string }>(
    '/actions/broadcasts',
    () => 'Created. Nothing is sent yet.',
    body,
  );
  return created?.broadcast_no;
}

function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
