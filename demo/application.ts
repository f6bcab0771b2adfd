import { CallbackApp } from '../src/testkit/callback-app.ts';
import { callers, conferenceName, leaveKey } from './audience.ts';

interface IncomingCall {
  connection: { from: string };
}

/**
 * The application a user of Callreel writes: it answers `on_incoming` with a routine and takes the conference's
 * events. A caller who presses `*` leaves the conference and, by the routine's second command, joins it again.
 */
export async function startApplication(): Promise<CallbackApp> {
  const app = await CallbackApp.create();
  app.on<IncomingCall>('/incoming', ({ connection }) => {
    const caller = callers.find(({ number }) => number === connection.from);
    const join = {
      name: 'JoinConference',
      conference_name: conferenceName,
      do_record: !caller?.optedOut,
      event_callback: app.url('/conference_event'),
      leave_key: leaveKey,
    };
    return { routine: [join, join] };
  });
  app.on('/conference_event', () => ({}));
  return app;
}
