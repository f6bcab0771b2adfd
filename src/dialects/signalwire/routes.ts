import type { FastifyInstance } from 'fastify';
import { callingRoutes } from './routes-calling.ts';
import type { SignalwireRoutesOptions } from './routes-options.ts';
import { recordingRoutes } from './routes-recordings.ts';

/** The vendor's Python SDK names JSON as the type of everything it sends, a DELETE without a body too. */
function acceptNothing(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else parse(request, body, done);
  });
}

/** SignalWire's REST APIs below `/api`. Authentication is the surrounding plugin's. */
export function signalwireRoutes(app: FastifyInstance, options: SignalwireRoutesOptions): void {
  for (const routes of [recordingRoutes, callingRoutes])
    app.register((inner, _options, done) => {
      acceptNothing(inner);
      routes(inner, options);
      done();
    });
}
