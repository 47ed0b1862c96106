import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { BroadcastRequest } from '@ruyi/client';
import { UsageError } from '../../usageError.ts';
import { codeOf } from './broadcastOptions.ts';
import type { ListFacts } from './recipientList.ts';

/** How far the upload of a list has come. Lies beside the list, so that another process can go on after this one died. */
export interface UploadState {
  version: 1;
  list: ListFacts;
  /** with its key, so that a creation that was not answered is not made twice */
  request: BroadcastRequest;
  broadcast_no: string;
  part_bytes: number;
  /** parts, bytes and lines that the API has */
  parts: number;
  offset: number;
  lines: number;
}

/** Where the state of a list is kept. */
export const stateFileOf = (list: string): string => `${list}.ruyi-upload`;

/** @returns undefined if nothing was begun @throws UsageError if what is there cannot be read */
export function readState(list: string): UploadState | undefined {
  const file = stateFileOf(list);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new UsageError(`${file}: cannot be read (${codeOf(error)})`);
  }
  const state = parsed(text);
  if (!state)
    throw new UsageError(`${file}: is damaged; remove it to begin anew, "ruyi broadcast list" shows what was begun`);
  return state;
}

function parsed(text: string): UploadState | undefined {
  try {
    const state: UploadState | null = JSON.parse(text);
    const isState =
      state?.version === 1 && typeof state.offset === 'number' && typeof state.request?.payload === 'string';
    return isState ? state : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces the state in one step. Only its owner may read it: it holds the message. @throws UsageError */
export function writeState(list: string, state: UploadState): void {
  const file = stateFileOf(list);
  try {
    writeFileSync(`${file}.new`, JSON.stringify(state), { mode: 0o600, flush: true });
    renameSync(`${file}.new`, file);
  } catch (error) {
    throw new UsageError(
      `${file}: cannot be written (${codeOf(error)}); --uids - reads a list without noting how far it is`,
    );
  }
}

export function removeState(list: string): void {
  rmSync(stateFileOf(list), { force: true });
}
