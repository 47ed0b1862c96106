import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-node';
import { expect, test } from 'vitest';
import { discreetExporter } from '../src/tracing/discreetExporter.ts';

const SECRET = 'r:{3}:log:1:ada@bob';
const lines: string[] = [];
const log = {
  warn(_: object, text: string): void {
    lines.push(text);
  },
  info(_: object, text: string): void {
    lines.push(text);
  },
};

test('a span keeps what it may tell, and loses texts of errors, results, and whatever else is told of a job', () => {
  const kept = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(discreetExporter(kept, log))] });
  const told = {
    'http.route': '/message/send',
    'http.response.status_code': 200,
    'ruyi.messages': 3,
    'bullmq.queue.name': 'send.0',
    'bullmq.job.id': 'a1.2.3',
    'bullmq.job.bulk.count': 2,
  };
  const span = provider.getTracer('test').startSpan('process send.0', { attributes: told });
  for (const name of ['bullmq.job.failed.reason', 'bullmq.job.result', 'bullmq.job.ids', 'exception.message'])
    span.setAttribute(name, SECRET);
  span.addEvent('job failed', { 'bullmq.job.failed.reason': SECRET });
  span.recordException(new Error(SECRET));
  span.end();
  const [exported] = kept.getFinishedSpans();
  expect([exported?.name, exported?.attributes, exported?.events]).toEqual(['process send.0', told, []]);
  expect(exported?.spanContext()).toEqual(span.spanContext());
});

test('that the collector is away is said once, and that it is back', () => {
  let code = ExportResultCode.FAILED;
  const collector: SpanExporter = {
    export: (_: ReadableSpan[], done: (result: ExportResult) => void) => done({ code, error: new Error('refused') }),
    shutdown: async () => {},
  };
  const exporter = discreetExporter(collector, log);
  const results: number[] = [];
  const exportOne = () => exporter.export([], (result) => results.push(result.code));
  exportOne();
  exportOne();
  code = ExportResultCode.SUCCESS;
  exportOne();
  exportOne();
  code = ExportResultCode.FAILED;
  exportOne();
  const away = 'traces cannot be exported: they are dropped until the collector is back';
  expect(lines).toEqual([away, 'traces are exported again', away]);
  expect(results).toEqual([1, 1, 0, 0, 1]);
});
