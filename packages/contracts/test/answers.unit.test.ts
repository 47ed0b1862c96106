import { expect, test } from 'vitest';
import type { z } from 'zod';
import type { AnswerName, answerSchemas } from '../src/answers.ts';
import type * as Broadcasts from '../src/broadcastAnswers.ts';
import type { ErrorBody } from '../src/errors.ts';
import type * as Health from '../src/health.ts';
import type * as Messages from '../src/messages.ts';
import type { StatusAnswer } from '../src/status.ts';

/** The published types of answers are written by hand. Here the compiler holds them to the schemas, both ways. */

interface Answers {
  Ok: Messages.OkAnswer;
  Error: ErrorBody;
  MessageHeader: Messages.MessageHeader;
  Message: Messages.MessageObject;
  SendAnswer: Messages.SendAnswer;
  SendBatchAnswer: Messages.SendBatchAnswer;
  BatchProgress: Messages.BatchProgress;
  MessageSyncAnswer: Messages.MessageSyncAnswer;
  SyncAnswer: Messages.MessageObject[];
  FoundMessage: Messages.FoundMessage;
  UserSearchAnswer: Messages.UserSearchAnswer;
  ChannelInfoAnswer: Messages.ChannelInfoAnswer;
  SubscribersAnswer: Messages.SubscribersAnswer;
  BroadcastCreated: Broadcasts.BroadcastCreated;
  BroadcastAnswer: Broadcasts.BroadcastAnswer;
  BroadcastListAnswer: Broadcasts.BroadcastListAnswer;
  BroadcastFailure: Broadcasts.BroadcastFailure;
  PartAnswer: Broadcasts.PartAnswer;
  HealthCheck: Health.HealthCheck;
  HealthAnswer: Health.HealthAnswer;
  StatusAnswer: StatusAnswer;
}

/** zod says `| undefined` of an optional field, which `exactOptionalPropertyTypes` tells from an absent one. */
type Exact<T> = T extends (infer U)[]
  ? Exact<U>[]
  : T extends object
    ? { [K in keyof T]: Exact<undefined extends T[K] ? Exclude<T[K], undefined> : T[K]> }
    : T;
type Parsed<N extends AnswerName> = Exact<z.output<(typeof answerSchemas)[N]>>;
type Differs<A, B> = [A] extends [B] ? ([B] extends [A] ? never : 'the schema has more') : 'the type has more';
type Differences = {
  [N in keyof Answers]: Differs<Exact<Answers[N]>, Parsed<N>> extends never
    ? never
    : `${N}: ${Differs<Exact<Answers[N]>, Parsed<N>>}`;
}[keyof Answers];

const differences: Differences[] = [];

test('no published type of an answer differs from its schema', () => {
  expect(differences).toEqual([]);
});
// A type that is not `never` does not compile here.
export const noDifference: never[] = differences;
