import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type DescribedRoute, errorExamples, operationOf, webhookOf } from './openapi-operation.ts';
import { SchemaBook } from './schema-book.ts';
import { webhooks } from './webhook-bodies.ts';

/** OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1). */
export interface OpenApiDocument {
  openapi: string;
  info: Record<string, unknown>;
  servers: { url: string }[];
  security: Record<string, string[]>[];
  /** By path, then by method. */
  paths: Record<string, Record<string, Record<string, unknown>>>;
  /** What we send, by the `type` of its body. */
  webhooks: Record<string, Record<string, unknown>>;
  components: Record<'schemas' | 'examples' | 'securitySchemes', Record<string, unknown>>;
}

/** Puts the routes that are declared on `app` from now on into `routes`. */
export function collectRoutes(app: FastifyInstance, routes: DescribedRoute[]): void {
  app.addHook('onRoute', ({ method, url, schema }) => {
    // Wherever there is GET, HEAD answers too: it needs no word.
    for (const each of [method].flat())
      if (each !== 'HEAD')
        routes.push({ method: each, url, schema: (schema ?? {}) as DescribedRoute['schema'] });
  });
}

const description =
  'The native API of Callreel. Times are ISO 8601 in UTC; durations are milliseconds where a name ends in `_ms`, ' +
  'positions samples where it ends in `_sample`. Pass over members of answers that you do not know: there will be ' +
  'more. Fields of requests that are not listed here are refused. Every error is an entry of one catalogue, with what ' +
  'to do about it.';

/** @throws TypeError when two schemas share an id and differ */
export function openApiDocument(routes: readonly DescribedRoute[]): OpenApiDocument {
  const book = new SchemaBook();
  const paths: OpenApiDocument['paths'] = {};
  for (const route of routes) {
    const path = route.url.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, book) };
  }
  const sent = Object.fromEntries(
    Object.entries(webhooks).map(([type, webhook]) => [type, webhookOf(webhook, book)]),
  );
  const license = { name: 'Apache-2.0', identifier: 'Apache-2.0' };
  const basic = { type: 'http', scheme: 'basic', description: 'Account id and auth token (RFC 7617).' };
  return {
    openapi: '3.1.1',
    info: { title: 'Callreel', version: ownVersion(), license, description },
    servers: [{ url: '/' }],
    security: [{ basic: [] }],
    paths,
    webhooks: sent,
    components: { schemas: book.components, examples: errorExamples(), securitySchemes: { basic } },
  };
}

/** Open, as its text is. */
export const ownRoute = {
  method: 'GET',
  url: '/v1/openapi.json',
  schema: {
    operationId: 'getOpenApi',
    summary: 'This document',
    tags: ['about'],
    security: [],
    response: {
      200: z
        .record(z.string(), z.unknown())
        .meta({ description: 'OpenAPI 3.1.', examples: [{ openapi: '3.1.1' }] }),
    },
  },
} satisfies DescribedRoute;

/** Serves the routes that were collected when it is first asked for, and itself. */
export function openApiRoute(app: FastifyInstance, routes: readonly DescribedRoute[]): void {
  const { url, schema } = ownRoute;
  let document: OpenApiDocument | undefined;
  app.withTypeProvider<ZodTypeProvider>().get(url, { schema }, () => {
    document ??= openApiDocument([...routes, ownRoute]);
    return { ...document };
  });
}

function ownVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
