import { appendFileSync } from 'node:fs';
import { SpoolProducer } from '../../src/spool/producer.ts';

/**
 * Imported into every thread of a media worker by walks.test.ts, with the file to write to as its query. Appends the
 * stacks seen inside the spool's append of a packet and inside the recorder's start, one JSON line each.
 */
const path = new URL(import.meta.url).searchParams.get('stacks') ?? '';

function report(walk: string, stack: string | undefined): void {
  appendFileSync(path, `${JSON.stringify({ walk, stack })}\n`);
}

Error.stackTraceLimit = 50;

// The ring tells the consumer of a record with an atomic store: that is inside the append.
const { store } = Atomics;
Atomics.store = ((array: Int32Array, index: number, value: number) => {
  const { stack } = new Error();
  if (stack?.includes('RingProducer.commit') && stack.includes('media-session.ts')) {
    Atomics.store = store;
    report('packet', stack);
  }
  return store(array, index, value);
}) as typeof store;

// The recorder's first act is to write the manifest's header.
const { startRecording } = SpoolProducer.prototype;
SpoolProducer.prototype.startRecording = function (this: SpoolProducer, header, key): void {
  report('command in the worker', new Error().stack);
  startRecording.call(this, header, key);
};
