// Before end-to-end tests, which start what `npm start` starts: each would build what is stale, one over the other.
import { prepare } from './prepare.mjs';

export const setup = () => prepare((line) => console.log(line));
