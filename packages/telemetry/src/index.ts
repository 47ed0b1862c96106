export * from './log.ts';
export * from './shutdown.ts';
