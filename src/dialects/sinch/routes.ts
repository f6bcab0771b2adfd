import type { FastifyInstance } from 'fastify';
import { newId } from '../../ids.ts';
import { SinchDoor } from './door.ts';
import { SinchError, type SinchErrorBody } from './errors.ts';
import { calloutRoutes } from './routes-callouts.ts';
import { callRoutes } from './routes-calls.ts';
import { conferenceRoutes } from './routes-conferences.ts';
import { configurationRoutes } from './routes-configuration.ts';
import type { SinchRoutesOptions } from './routes-options.ts';
import { recordingRoutes } from './routes-recordings.ts';

/** To a path below these that cannot be read; undefined for another one. */
export function unreadableSinchPath(path: string): { status: number; body: SinchErrorBody } | undefined {
  if (!/^\/(?:calling|v1\/calling|v1\/configuration)\//.test(path)) return undefined;
  const error = new SinchError(40400);
  return { status: error.status, body: error.body(newId()) };
}

/** Sinch's Voice API, calling and application management, which lets in by itself. */
export function sinchRoutes(app: FastifyInstance, options: SinchRoutesOptions): void {
  const door = new SinchDoor(app, options);
  calloutRoutes(door, options);
  callRoutes(door, options);
  conferenceRoutes(door, options);
  configurationRoutes(door, options);
  recordingRoutes(door, options);
  for (const rest of ['/calling/*', '/v1/calling/*', '/v1/configuration/*']) door.nothingElse(rest);
}
