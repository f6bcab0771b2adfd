import type { Conference } from '../../call/conference.ts';
import type { HoldMusic } from '../../call/conference-mute.ts';
import type { VerbPerformer } from '../../script/performer.ts';
import type { Prompt } from '../../script/verb.ts';
import { readConferenceCommand, readParticipantCommand } from './conference-commands.ts';
import type { SinchDoor, SinchRequest } from './door.ts';
import { SinchError } from './errors.ts';
import { musicOf } from './music.ts';
import { readRequest } from './request-body.ts';
import type { SinchRoutesOptions } from './routes-options.ts';

const path = '/calling/v1/conferences/id/:conferenceId';

/** `/calling/v1/conferences`: who is in a room and what is done to them; `PATCH` of the room is ours. */
export function conferenceRoutes(door: SinchDoor, options: SinchRoutesOptions): void {
  const { calls, clock, performer, rules, wishes } = options;

  const conferenceOf = ({ application: { accountId }, params }: SinchRequest): Conference =>
    calls.conference(accountId, params.conferenceId ?? '');

  door.route('GET', path, async (request) => {
    const conference = conferenceOf(request);
    const nowMs = clock.unixMs();
    const participants = conference.members.flatMap(({ connectionId }) => {
      const leg = calls.leg(connectionId);
      if (!leg) return [];
      const { direction, from, to } = leg.connection;
      const { muted = false, held = false } = conference.muteOf(connectionId) ?? {};
      const durationMs = nowMs - (conference.sinceUnixMs(connectionId) ?? nowMs);
      const duration = Math.round(Math.max(0, durationMs) / 1000);
      const cli = direction === 'incoming' ? from : to;
      return [{ cli, id: connectionId, duration, muted, onhold: held }];
    });
    return { participants };
  });

  door.route('DELETE', path, async (request) => {
    const { accountId, name } = conferenceOf(request);
    calls.endConference(accountId, name);
    return undefined;
  });

  door.route('PATCH', path, async (request) => {
    const { request: given } = readRequest(request.body, (fields) => readConferenceCommand(fields, rules));
    const conference = conferenceOf(request);
    if (given.command === 'stopRecording') {
      const running = conference.recordings.filter((recording) => recording.running);
      if (running.length === 0) throw new SinchError(40400, 'The conference is not recorded');
      for (const recording of running) recording.stop();
      return undefined;
    }
    if (conference.recordings.some((recording) => recording.running))
      throw new SinchError(40003, 'The conference is recorded already');
    const { application, params } = request;
    const { conferenceId = '' } = params;
    conference.startRecording(wishes.of(given.options, { application, callId: '', conferenceId }));
    return undefined;
  });

  door.route('PATCH', `${path}/:callId`, async (request) => {
    const { command, moh } = readRequest(request.body, readParticipantCommand).request;
    const conference = conferenceOf(request);
    const callId = participantOf(request, conference, options);
    if (command === 'mute' || command === 'unmute') conference.mute(callId, command === 'mute');
    else if (command === 'resume') conference.hold(callId, false);
    else conference.hold(callId, true, musicOnHold(performer, moh));
    return undefined;
  });

  door.route('DELETE', `${path}/:callId`, async (request) => {
    const conference = conferenceOf(request);
    conference.leave(participantOf(request, conference, options));
    return undefined;
  });
}

/** By the id that it has there, or by the id of its call. @throws SinchError 40400 */
function participantOf(
  { params: { callId = '' } }: SinchRequest,
  conference: Conference,
  { calls }: SinchRoutesOptions,
): string {
  const ids = [callId, ...calls.legsOfCall(callId).map(({ id }) => id)];
  const found = ids.find((id) => conference.optionsOf(id) !== undefined);
  if (found !== undefined) return found;
  throw new SinchError(40400, 'There is no such participant');
}

/** @throws SinchError 40001 for music that there is not */
function musicOnHold(performer: VerbPerformer, name: string | undefined): HoldMusic | undefined {
  if (name === undefined) return undefined;
  const prompt = musicOf(name);
  if (!prompt) throw new SinchError(40001, 'moh: ring, music1, music2, music3 is expected');
  const forever = { ...prompt, durationMs: Number.POSITIVE_INFINITY } as Prompt;
  return (leg) => {
    const stopped = new AbortController();
    // It ends by being stopped, or with the call.
    performer.perform(leg, { verb: 'play', prompts: [forever] }, stopped.signal).catch(() => undefined);
    return { stop: () => stopped.abort() };
  };
}
