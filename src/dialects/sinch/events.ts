import type {
  EventFormatter,
  RecordingChanged,
  RecordingDelivery,
  RecordingTranscript,
} from '../../call/neutral-events.ts';
import { assertNever } from '../../errors.ts';
import { callingErrorBody, type NotifiedOf, notifyBody } from './callback-bodies.ts';
import { storeUrl } from './store-links.ts';

/**
 * What applications are told of their recordings (`notify`), each only after the fact that it states. Nobody is told
 * anything whose options say `notificationEvents: false`.
 */
export const formatSinchEvent: EventFormatter = (event) => {
  switch (event.kind) {
    case 'recording.changed':
      return changed(event);
    case 'recording.delivery':
      return delivery(event);
    case 'recording.transcript':
      return transcript(event);
    case 'conversation.ended':
    case 'conversation.warning':
    case 'conversation.transcript':
      return undefined;
    default:
      return assertNever(event, 'event');
  }
};

function changed(event: RecordingChanged): Record<string, unknown> | undefined {
  const { of, notify, failures } = contextOf(event);
  if (!of || !notify) return undefined;
  // What a crash cut off is finished too, where something of it is left.
  if (
    event.state === 'finished' ||
    event.state === 'no_input' ||
    (event.state === 'error' && event.end?.file)
  )
    return notifyBody(of, { type: 'recording_finished' });
  if (event.state !== 'error' || !failures) return undefined;
  const errorMsg = 'the recording could not be made, or nothing of it is left';
  return notifyBody(of, { type: 'recording_failed', errorMsg });
}

function delivery(event: RecordingDelivery): Record<string, unknown> | undefined {
  const { of, notify, failures } = contextOf(event);
  const { state, error } = event;
  const destination = destinationOf(event);
  if (!of || !notify) return undefined;
  if (state === 'delivered') return notifyBody(of, { type: 'recording_available', destination });
  if (!failures) return undefined;
  const outlook = state === 'dead' ? 'given up' : 'it is tried again';
  const errorMsg = `${error?.message ?? 'it could not be delivered'}; ${outlook}`;
  return notifyBody(of, { type: 'recording_failed', errorMsg, destination });
}

/** One that will not come is told as what is left out of an answer is. */
function transcript(event: RecordingTranscript): Record<string, unknown> | undefined {
  const { of, notify } = contextOf(event);
  const { state, destination, error } = event;
  if (!of || !notify) return undefined;
  if (state === 'dead')
    return callingErrorBody(of, {
      type: 'callingwarning',
      errorCode: error?.code === 'TRANSCRIPTION_LOCALE_UNSUPPORTED' ? 40001 : 50000,
      errorMsg: `there is no transcript: ${error?.message ?? 'it could not be made'}`,
    });
  if (destination === undefined) return undefined;
  return notifyBody(of, {
    type: 'transcription_available',
    destination: destinationOf({ ...event, destination }),
  });
}

/** The URL that was asked for; of our own store, whose URL no client opens, where the file is fetched. */
function destinationOf({
  destination,
  dialectData: { baseUrl } = {},
}: Pick<RecordingDelivery, 'destination' | 'dialectData'>): string {
  const [, key] = /^sdrive:\/\/(.+)$/s.exec(destination) ?? [];
  return key !== undefined && typeof baseUrl === 'string' ? storeUrl(baseUrl, key) : destination;
}

/** As `WishMaker` keeps it. */
function contextOf({ dialectData = {} }: Pick<RecordingChanged, 'dialectData'>): {
  of: NotifiedOf | undefined;
  notify: boolean;
  failures: boolean;
} {
  const { callId, conferenceId, notify, failures } = dialectData;
  const of =
    typeof conferenceId === 'string' ? { conferenceId } : typeof callId === 'string' ? { callId } : undefined;
  return { of, notify: notify !== false, failures: failures === true };
}
