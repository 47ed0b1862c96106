export * from './certificates.ts';
export * from './chromium.ts';
export * from './leaks.ts';
export * from './random.ts';
export * from './redisServer.ts';
export * from './startProcess.ts';
export * from './tempDir.ts';
export * from './waitFor.ts';
