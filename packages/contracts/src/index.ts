export * from './base64.ts';
export * from './chunk.ts';
export * from './errors.ts';
export { type RequestLimits, TOO_LARGE } from './fields.ts';
export * from './ids.ts';
export * from './messageBody.ts';
export * from './messages.ts';
export * from './requests.ts';
export * from './webOrigin.ts';
