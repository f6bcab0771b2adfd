import assert from 'node:assert/strict';
import { systemClock } from '../clock.ts';
import { openLibc } from './libc.ts';
import { transportConformance } from './transport-conformance.ts';
import { FfiTransport } from './transport-ffi.ts';

const libc = openLibc();
assert.ok(typeof libc === 'object', String(libc));

transportConformance('ffi, one by one', {
  create: (options) => new FfiTransport({ libc, clock: systemClock, uring: false, ...options }),
});

transportConformance('ffi', {
  create: (options) => new FfiTransport({ libc, clock: systemClock, ...options }),
});
