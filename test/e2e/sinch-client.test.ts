import { after, suite } from 'node:test';
import { applicationSuite } from './sinch-client/applications.ts';
import { calloutSuite } from './sinch-client/callouts.ts';
import { callSuite } from './sinch-client/calls.ts';
import { SinchClient } from './sinch-client/client.ts';
import { conferenceSuite } from './sinch-client/conferences.ts';

/** Every voice call of the vendor's own client. */
const client = await SinchClient.open();
after(() => client[Symbol.asyncDispose]());

suite('the client of the vendor', { concurrency: true }, () => {
  callSuite(client);
  calloutSuite(client);
  conferenceSuite(client);
  applicationSuite(client);
});
