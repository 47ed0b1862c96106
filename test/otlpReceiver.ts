import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

const Value = z.looseObject({});
const Attributes = z.array(z.object({ key: z.string(), value: Value }));
const Span = z.looseObject({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().default(''),
  name: z.string(),
  attributes: Attributes.default([]),
  links: z.array(z.looseObject({ traceId: z.string(), spanId: z.string() })).default([]),
});
export type ReceivedSpan = z.infer<typeof Span> & {
  /** service.name of the process */
  service: string;
};
const Export = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.looseObject({ attributes: Attributes }),
      scopeSpans: z.array(z.object({ spans: z.array(Span) })),
    }),
  ),
});

export interface OtlpReceiver {
  url: string;
  /** all spans so far */
  readonly spans: ReceivedSpan[];
  /** all that was received, as it came */
  readonly text: string;
  close(): Promise<void>;
}

/** As much of a collector of OpenTelemetry as takes traces as JSON over HTTP. @param port a free one by default */
export async function otlpReceiver(port = 0): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  let text = '';
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (piece: string) => {
      body += piece;
    });
    request.on('end', () => {
      const isExport = request.method === 'POST' && request.url === '/v1/traces';
      if (isExport) {
        text += body;
        spans.push(...spansIn(JSON.parse(body)));
      }
      response.writeHead(isExport ? 200 : 404, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    get text() {
      return text;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function spansIn(body: unknown): ReceivedSpan[] {
  return Export.parse(body).resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const name = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue;
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, service: String(name) })));
  });
}
