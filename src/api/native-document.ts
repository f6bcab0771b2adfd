import Fastify from 'fastify';
import { type NativeRoutesOptions, nativeRoutes } from './native-routes.ts';
import { collectRoutes, type OpenApiDocument, openApiDocument, ownRoute } from './openapi.ts';
import type { DescribedRoute } from './openapi-operation.ts';

/** The document of the native API without a server behind it: the same that `/v1/openapi.json` answers. */
export function nativeDocument(): OpenApiDocument {
  const app = Fastify();
  const routes: DescribedRoute[] = [];
  collectRoutes(app, routes);
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => JSON.stringify);
  nativeRoutes(app, {} as NativeRoutesOptions);
  return openApiDocument([...routes, ownRoute]);
}
