export * from './firstFailure.ts';
export * from './log.ts';
export * from './metrics.ts';
export * from './tracing/tracing.ts';
