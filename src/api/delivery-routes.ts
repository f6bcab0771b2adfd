import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { Recording } from '../database/schema.ts';
import type { Deliveries } from '../delivery/deliveries.ts';
import { openDestination } from '../delivery/destinations/open-destination.ts';
import { tryDestination } from '../delivery/destinations/trial.ts';
import { newId } from '../ids.ts';
import { deliveryBody, deliveryStates, toDeliveryBody } from './delivery-body.ts';
import {
  type DestinationRules,
  destinationCredentials,
  destinationInput,
  destinationUrl,
  readCredentials,
  readPlace,
} from './destination-input.ts';
import { errors, keyed } from './error-body.ts';
import { choice, flag, identifierParameter, integer, text } from './fields.ts';
import { listBody, listOf, listQuery, listRequest } from './list-query.ts';

export interface DeliveryRoutesOptions {
  accountId: string;
  clock: Clock;
  deliveries: Pick<Deliveries, 'list' | 'get' | 'deliverAgain'>;
  destinations: DestinationRules;
  /** @throws CallreelError NOT_FOUND, RECORDING_ERASED */
  recordingOf(recordingId: string): Promise<Recording>;
}

const list = 'deliveries';
const filters = {
  state: choice(deliveryStates, 'Only those; `dead` is what somebody has to see to.').optional(),
};
const again = z.strictObject({
  url: destinationUrl.optional().meta({ description: 'Another place; unless given, where it was to go.' }),
  credentials: destinationCredentials
    .optional()
    .meta({ description: 'Others; unless given, those that it had, as long as they are kept.' }),
});
const trialInput = z
  .strictObject({
    destination: destinationInput,
    format: choice(['wav', 'mp3', 'mp4'], 'Of the file. wav unless given.').default('wav'),
    stereo: flag('Whether it has two channels. One unless given.', false).default(false),
    overwrite: flag(
      'Whether a URL that names a file is written to under that name, in place of what is there. Unless given, the file ' +
        'gets a name of its own in the same folder.',
      false,
    ).default(false),
  })
  .meta({
    examples: [
      {
        destination: { url: 's3://bucket/calls/', credentials: 'AKIAIOSFODNN7EXAMPLE:SECRET:eu-central-1' },
        format: 'mp3',
      },
    ],
  });
const trialBody = z
  .object({
    objects: z
      .array(
        z.object({
          url: text('The object.', 's3://bucket/calls/20260914083000_AC0123456789abcdef_test.mp3'),
          way: choice(['whole', 'parts'], 'As short recordings are written, or as long ones are.'),
        }),
      )
      .meta({ description: 'What was written. It stays there.' }),
    bytes: integer('Length of each.', 4896),
    content_type: text('Their content type.', 'audio/mpeg'),
    warning: text('What is odd about the name in the URL; null where nothing is.', 'the format decides')
      .nullable()
      .meta({ examples: [null] }),
    elapsed_ms: integer('How long it took.', 184),
  })
  .meta({ description: 'Recordings can be written there.' });

/** `/v1/deliveries` and `/v1/destinations`: what became of files that were to be written elsewhere. */
export function deliveryRoutes(app: FastifyInstance, options: DeliveryRoutesOptions): void {
  const { accountId, clock, deliveries, destinations, recordingOf } = options;
  const api = app.withTypeProvider<ZodTypeProvider>();

  api.get(
    '/v1/deliveries',
    {
      schema: {
        operationId: 'listDeliveries',
        summary: 'Files on their way to their destinations, the latest first',
        description: 'With `state=dead` the dead-letter list: what was given up and waits for `deliver`.',
        tags: ['deliveries'],
        querystring: z.strictObject({
          ...listQuery,
          ...filters,
          recording_id: identifierParameter('Only of this recording, erased or not.').optional(),
          conversation_id: identifierParameter('Only of this conversation.').optional(),
        }),
        response: { 200: listOf(deliveryBody), ...errors() },
      },
    },
    async ({ query }) => {
      const states = query.state && [query.state];
      const { recording_id: recordingId, conversation_id: conversationId } = query;
      const filter = { states, recordingId, conversationId };
      const page = await deliveries.list(accountId, { ...listRequest(list, query), filter });
      return listBody(list, page, toDeliveryBody);
    },
  );

  api.get(
    '/v1/recordings/:recordingId/deliveries',
    {
      schema: {
        operationId: 'listDeliveriesOfRecording',
        summary: 'What became of the file of a recording at its destination',
        description: 'One where it was started with a destination, else none.',
        tags: ['deliveries', 'recordings'],
        params: z.object({ recordingId: identifierParameter('The recording.') }),
        querystring: z.strictObject(listQuery),
        response: { 200: listOf(deliveryBody), ...errors('NOT_FOUND', 'RECORDING_ERASED') },
      },
    },
    async ({ params: { recordingId }, query }) => {
      await recordingOf(recordingId);
      const request = { ...listRequest(list, query), filter: { recordingId } };
      return listBody(list, await deliveries.list(accountId, request), toDeliveryBody);
    },
  );

  api.post(
    '/v1/deliveries/:deliveryId/deliver',
    {
      schema: {
        operationId: 'deliverAgain',
        summary: 'Deliver a file once more',
        description:
          'At once, whatever became of it before; with other credentials or to another place where they are given. ' +
          'Credentials are forgotten once a file is delivered, or 30 days after it was given up: then they are needed.',
        tags: ['deliveries'],
        params: z.object({ deliveryId: identifierParameter('The delivery.') }),
        body: again.optional(),
        response: {
          202: deliveryBody,
          ...errors(
            ...keyed,
            'NOT_FOUND',
            'CONFLICT',
            'RECORDING_ERASED',
            'DESTINATION_INVALID',
            'DESTINATION_FORBIDDEN',
          ),
        },
      },
    },
    async ({ params: { deliveryId }, body = {} }, reply) => {
      const before = await deliveries.get(accountId, deliveryId);
      const place = readPlace(body.url ?? before.url, 'body.url', destinations);
      const { credentials } = body;
      await deliveries.deliverAgain(deliveryId, {
        url: body.url,
        // Those that it had are looked at where they are opened.
        ...(credentials !== undefined && {
          credentials: readCredentials(place, credentials, 'body.credentials').secret,
        }),
      });
      reply.code(202);
      return toDeliveryBody(await deliveries.get(accountId, deliveryId));
    },
  );

  api.post(
    '/v1/destinations/test',
    {
      schema: {
        operationId: 'testDestination',
        summary: 'Write a small file to a destination',
        description:
          'A second of a tone, written as recordings are: once as a whole, once in parts, under names of the pattern that ' +
          'recordings get. What is wrong is the error, in the words of the storage. Nothing is read, overwritten (but ' +
          'see `overwrite`) or removed: the files stay there. Answers within half a minute.',
        tags: ['deliveries'],
        body: trialInput,
        response: {
          200: trialBody,
          ...errors(
            ...keyed,
            'DESTINATION_INVALID',
            'DESTINATION_FORBIDDEN',
            'DESTINATION_REFUSED',
            'DESTINATION_UNAVAILABLE',
            'DESTINATION_UPLOAD_LOST',
          ),
        },
      },
    },
    async ({ body }) => {
      const { format, stereo, overwrite } = body;
      const place = readPlace(body.destination.url, 'body.destination.url', destinations);
      const { parsed } = readCredentials(place, body.destination.credentials, 'body.destination.credentials');
      const destination = await openDestination(place, parsed, destinations.settings);
      const beganUs = clock.monotonicUs();
      try {
        const { objects, bytes, contentType, warning } = await tryDestination({
          ...{ clock, destination, place, format, stereo, overwrite },
          ...{ applicationKey: accountId, nameId: `test-${newId()}` },
        });
        return {
          ...{ objects, bytes, content_type: contentType, warning: warning ?? null },
          elapsed_ms: Math.round((clock.monotonicUs() - beganUs) / 1000),
        };
      } finally {
        destination.close();
      }
    },
  );
}
