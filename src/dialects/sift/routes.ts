import type { FastifyInstance } from 'fastify';
import { applicationRoutes } from './routes-applications.ts';
import { connectionRoutes } from './routes-connections.ts';
import { conversationRoutes } from './routes-conversations.ts';
import { numberRoutes } from './routes-numbers.ts';
import type { SiftRoutesOptions } from './routes-options.ts';

/** Sift's REST API below `/v0`. Authentication is the surrounding plugin's. */
export function siftRoutes(app: FastifyInstance, options: SiftRoutesOptions): void {
  applicationRoutes(app, options);
  numberRoutes(app, options);
  connectionRoutes(app, options);
  conversationRoutes(app, options);
}
