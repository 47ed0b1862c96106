import { z } from 'zod';
import { flag, withDefault } from './fields.ts';

/** PHP writes an empty object as `[]` (docs/api.md §1). */
const emptyListAsObject = (given: unknown) => (Array.isArray(given) && given.length === 0 ? {} : given);

/** `header` of a message to be sent. */
export const Header = withDefault(
  z.preprocess(
    emptyListAsObject,
    z.object({ no_persist: flag(), red_dot: flag(), sync_once: flag() }, { error: 'must be an object' }),
  ),
  { no_persist: 0, red_dot: 0, sync_once: 0 },
);
