import { BroadcastJob, DeadJob, GroupCommandJob, IndexJob, SendJob } from '@ruyi/contracts';
import type { z } from 'zod';

/** Every kind of job: the name that the board shows, and what its data must look like. */
export interface JobKind<S extends z.ZodType> {
  name: string;
  schema: S;
}

const kind = <S extends z.ZodType>(name: string, schema: S): JobKind<S> => ({ name, schema });

/** Single messages on a send lane; handled by appendSingles.ts. */
export const SEND = kind('send', SendJob);
/** Recipients of a batch on a fanout lane; handled by fanOut.ts. */
export const BROADCAST = kind('broadcast', BroadcastJob);
/** A command to a channel's subscribers on a fanout lane; handled by fanOut.ts. */
export const GROUP_COMMAND = kind('group-command', GroupCommandJob);
/** References to messages that are to be made searchable; handled by apps/indexer. */
export const INDEX = kind('index', IndexJob);
/** What was set aside; handled by deadLetters.ts. */
export const DEAD = kind('dead', DeadJob);
