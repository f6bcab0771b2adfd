import type { FastifyInstance } from 'fastify';
import { SinchDoor } from './door.ts';
import { calloutRoutes } from './routes-callouts.ts';
import { callRoutes } from './routes-calls.ts';
import { conferenceRoutes } from './routes-conferences.ts';
import { configurationRoutes } from './routes-configuration.ts';
import type { SinchRoutesOptions } from './routes-options.ts';

/** Sinch's Voice API, calling and application management, which lets in by itself. */
export function sinchRoutes(app: FastifyInstance, options: SinchRoutesOptions): void {
  const door = new SinchDoor(app, options);
  calloutRoutes(door, options);
  callRoutes(door, options);
  conferenceRoutes(door, options);
  configurationRoutes(door, options);
  for (const rest of ['/calling/*', '/v1/calling/*', '/v1/configuration/*']) door.nothingElse(rest);
}
