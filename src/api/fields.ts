import type { Readable } from 'node:stream';
import { z } from 'zod';

/** Fields as the native API's documents have them: each with what it means, its unit and an example. */

const identifierExample = '5f3a9c0d1e2b4a67';
const maxIdentifierLength = 64;

/** Given out by us: 16 hexadecimal digits. */
export function identifier(description: string) {
  return z.string().meta({ description, examples: [identifierExample] });
}

/** Of what the path names. */
export function identifierParameter(description: string) {
  return z
    .string()
    .max(maxIdentifierLength)
    .meta({ description, examples: [identifierExample] });
}

export function text(description: string, example: string) {
  return z.string().meta({ description, examples: [example] });
}

/** ISO 8601 in UTC, to the millisecond. */
export function moment(description: string, example = '2026-09-14T08:30:00.000Z') {
  return z
    .string()
    .meta({ description: `${description} ISO 8601, UTC.`, examples: [example], format: 'date-time' });
}

export function integer(description: string, example: number) {
  return z.int().meta({ description, examples: [example] });
}

export function number(description: string, example: number) {
  return z.number().meta({ description, examples: [example] });
}

export function flag(description: string, example = true) {
  return z.boolean().meta({ description, examples: [example] });
}

export function choice<const Value extends string>(values: readonly Value[], description: string) {
  return z.enum(values).meta({ description });
}

/** A moment that a client gives. */
export function momentParameter(description: string) {
  return z.iso
    .datetime({ offset: true })
    .max(40)
    .meta({
      description: `${description} ISO 8601 with Z or an offset.`,
      examples: ['2026-09-14T00:00:00Z'],
    });
}

/** A host and a port, as packets see them. */
export const endpoint = z.object({
  address: text('IP address.', '192.0.2.7'),
  port: integer('UDP or TCP port.', 5060),
});

export const callDirection = () =>
  choice(['incoming', 'outgoing'], 'Seen from here: incoming called us, outgoing was called.');
export const callStatus = () =>
  choice(['connecting', 'connected', 'failed', 'finished'], 'Where the call stands.');
/** Nothing but that it was done. */
export const nothing = z.object({}).meta({ description: 'Done; there is nothing to say about it.' });

/** The content of an answer that is a file. */
export const file = z.custom<Readable>().meta({ description: 'The bytes of the file.' });
