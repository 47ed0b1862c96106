import { readFileSync } from 'node:fs';
import type { Config } from '@ruyi/config';
import {
  answerSchemas,
  type JsonSchema,
  MAX_PART,
  namedSchemas,
  type RequestLimits,
  requestSchemas,
} from '@ruyi/contracts';
import { isWithoutToken } from '../http/openPaths.ts';
import type { Route, Section } from '../http/route.ts';
import { DOCS_FILES } from './docsPage.ts';
import { errorResponses } from './errorResponses.ts';

type Json = Record<string, unknown>;
type Schemas = Record<string, JsonSchema>;

const { version }: { version: string } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);

const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` });

/**
 * The API as OpenAPI 3.1, from the routes and the schemas that validate. Bounds that are settings have the values of this installation.
 * @param sections the routes by subject
 */
export function openApiDocument(sections: Section[], config: RequestLimits & Pick<Config, 'apiToken'>): Json {
  const requests = namedSchemas(requestSchemas(config), 'input');
  const described = sections.flatMap(({ name, routes }) => routes.map((route) => ({ tag: name, route })));
  const paths: Record<string, Json> = {};
  for (const { tag, route } of described) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, tag, requests) };
  }
  const bodies = described.flatMap(({ route }) => (route.method === 'POST' && route.request ? [route.request] : []));
  const bodySchemas = Object.fromEntries(bodies.map((name) => [`${name}Request`, requests[name]]));
  return {
    openapi: '3.1.0',
    info: {
      title: 'Ruyi',
      version,
      summary: 'Broadcasts to very many recipients, exactly once, in order, searchable',
      description: 'docs/api.md has all of this with examples, docs/errors.md every error code.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '.', description: 'where this document is' }],
    security: [...(config.apiToken === '' ? [{}] : []), { bearer: [] }, { token: [] }],
    tags: sections.map(({ name, description }) => ({ name, description })),
    paths,
    components: {
      schemas: { ...bodySchemas, ...namedSchemas(answerSchemas, 'output') },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'API_TOKEN' },
        token: { type: 'apiKey', in: 'header', name: 'token', description: 'API_TOKEN' },
      },
    },
  };
}

function operationOf(route: Route, tag: string, requests: Schemas): Json {
  const isQuery = route.method === 'GET' && route.request !== undefined;
  const parameters = [
    ...pathParameters(route.path),
    ...(isQuery ? queryParameters(requests[route.request ?? '']) : []),
    ...Object.entries(route.headers ?? {}).map(([name, description]) =>
      parameter(name, 'header', { type: 'string', description }),
    ),
  ];
  return {
    tags: [tag],
    operationId: route.operation,
    summary: route.summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...bodyOf(route),
    responses: responsesOf(route),
    ...(isWithoutToken(route.path) ? { security: [{}] } : {}),
  };
}

function parameter(name: string, place: string, { description, ...schema }: JsonSchema, required = false): Json {
  return { name, in: place, required, ...(description === undefined ? {} : { description }), schema };
}

const PATH_PARAMETERS: Record<string, JsonSchema> = {
  batch_no: { type: 'string', description: 'from the answer of sendbatch' },
  no: { type: 'string', description: 'from the answer of POST /broadcasts' },
  part: { type: 'integer', minimum: 0, maximum: MAX_PART, description: 'number of the part' },
  file: { type: 'string', enum: DOCS_FILES, description: 'a file of the page' },
};

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = '']) =>
    parameter(name, 'path', PATH_PARAMETERS[name] ?? { type: 'string' }, true),
  );
}

function queryParameters(schema: JsonSchema | undefined): Json[] {
  return Object.entries(schema?.properties ?? {}).map(([name, field]) =>
    parameter(name, 'query', field, schema?.required?.includes(name)),
  );
}

function bodyOf(route: Route): Json {
  if (route.method === 'PUT') {
    const schema = { type: 'string', description: 'a uid a line, or a JSON string a line; of any length' };
    return { requestBody: { required: true, content: { 'text/plain': { schema } } } };
  }
  if (route.method === 'GET' || route.request === undefined) return {};
  const { example, request, mayLackBody = false } = route;
  const json = { schema: reference(`${request}Request`), ...(example === undefined ? {} : { example }) };
  return { requestBody: { required: !mayLackBody, content: { 'application/json': json } } };
}

function responsesOf(route: Route): Json {
  const answered = answerOf(route);
  const { alsoAnswers } = route;
  return {
    200: { description: 'done', ...answered },
    ...errorResponses(route, reference('Error')),
    ...(alsoAnswers === undefined
      ? {}
      : { [alsoAnswers]: { description: 'the same, and all is not well', ...answered } }),
  };
}

function answerOf({ answer }: Route): Json {
  if (typeof answer === 'string') return { content: { 'application/json': { schema: reference(answer) } } };
  const schema = answer.line === undefined ? { type: 'string' } : reference(answer.line);
  return { description: answer.about, content: Object.fromEntries(answer.types.map((type) => [type, { schema }])) };
}
