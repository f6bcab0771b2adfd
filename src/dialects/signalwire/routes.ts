import type { FastifyInstance } from 'fastify';
import { callingRoutes } from './routes-calling.ts';
import type { SignalwireRoutesOptions } from './routes-options.ts';
import { recordingRoutes } from './routes-recordings.ts';

/** SignalWire's REST APIs below `/api`. Authentication is the surrounding plugin's. */
export function signalwireRoutes(app: FastifyInstance, options: SignalwireRoutesOptions): void {
  for (const routes of [recordingRoutes, callingRoutes])
    app.register((inner, _options, done) => {
      routes(inner, options);
      done();
    });
}
