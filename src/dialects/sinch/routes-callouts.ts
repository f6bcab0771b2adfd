import { CalloutPlacer } from './callout-placer.ts';
import { readCallout } from './callouts.ts';
import type { SinchDoor } from './door.ts';
import { readRequest } from './request-body.ts';
import type { SinchRoutesOptions } from './routes-options.ts';

/** `POST /calling/v1/callouts`: answered with the call's id as soon as it is on its way. */
export function calloutRoutes(door: SinchDoor, options: SinchRoutesOptions): void {
  const { log, rules } = options;
  const placer = new CalloutPlacer(options);

  for (const spelling of ['callouts', 'callout'])
    door.route('POST', `/calling/v1/${spelling}`, async ({ application, body }) => {
      const { request, warnings } = readRequest(body, (fields) => readCallout(fields, rules));
      if (warnings.length > 0)
        log.warn({ application: application.key, warnings }, 'a callout is not done as it says');
      return { callId: await placer.place(application, request) };
    });
}
