export * from './firstFailure.ts';
export * from './log.ts';
export * from './metrics.ts';
