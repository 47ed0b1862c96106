import type { Presentation } from '../payload/presentPayload.ts';
import type { SearchQuery, SearchResult } from '../searchQuery.ts';

/** The engine that a search process asks. */
export type EngineSettings =
  | { name: 'embedded'; directory: string }
  | { name: 'meilisearch'; url: string; apiKey: string };

/** What a search process does for its parent, one thing at a time. */
export type Task =
  | { kind: 'search'; query: SearchQuery }
  /** payloads in base64 */
  | { kind: 'present'; payloads: string[]; presentation: Presentation };

/** Payloads as they appear in an answer, one after the other in `bytes`; the i-th ends at `ends[i]`. */
export interface Presented {
  bytes: Uint8Array;
  ends: number[];
}

export type ToProcess = { settings: EngineSettings } | { task: Task };
export type FromProcess =
  | { kind: 'ready' }
  | { kind: 'found'; result: SearchResult }
  | { kind: 'presented'; presented: Presented }
  /** the task failed, and the process goes on; `defect` is set if the program is at fault and not the engine */
  | { kind: 'failed'; reason: string; defect?: Error };
