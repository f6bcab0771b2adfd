import { type DeliveryWish, sealedWish } from '../../call/delivery-wish.ts';
import type { RecordingWishes } from '../../call/recording.ts';
import type { CredentialSeal } from '../../delivery/credential-seal.ts';
import type { JsonValue } from '../../json-value.ts';
import type { SinchApplication } from './application.ts';
import type { SinchRecordingOptions } from './recording-options.ts';

export interface WishMakerOptions {
  seal: CredentialSeal;
  /** Where recordings go that name no destination. */
  defaultDestination: string | undefined;
  /** The application is told too what did not come to be, for which the vendor has no event. */
  failureEvents: boolean;
  /** Where the files of our own store are told to be; known once the server listens. */
  publicUrl(): string;
}

/** What is recorded: a call, or a conference, in which a call is. */
export interface RecordedSubject {
  application: SinchApplication;
  callId: string;
  /** The conference is recorded, not the call. */
  conferenceId?: string | undefined;
}

/** Kept with a recording, so that its events can be told, also after a restart. */
export type RecordingContext = {
  applicationKey: string;
  notify: boolean;
  failures: boolean;
  baseUrl: string;
} & ({ callId: string } | { conferenceId: string });

/** Turns the vendor's options into what a recording is started with, its credentials sealed. */
export class WishMaker {
  readonly #options: WishMakerOptions;

  constructor(options: WishMakerOptions) {
    this.#options = options;
  }

  of(
    options: SinchRecordingOptions,
    { application, callId, conferenceId }: RecordedSubject,
  ): RecordingWishes {
    const { format, notificationEvents: notify, transcription } = options;
    const { primary, fallback } = application.callbacks;
    const context: RecordingContext = {
      ...(conferenceId === undefined ? { callId } : { conferenceId }),
      ...{ applicationKey: application.key, notify, failures: this.#options.failureEvents },
      baseUrl: this.#options.publicUrl(),
    };
    const locale = transcription && { locale: transcription.locale ?? null };
    const delivery = this.#delivery(options, application, conferenceId ?? callId);
    const dialectData: Record<string, JsonValue> = {
      ...context,
      ...(locale && { transcription: locale }),
    };
    return {
      ...{ format, dialect: 'sinch', signer: application.key, dialectData },
      statusUrl: primary ?? fallback,
      ...(primary !== undefined && fallback !== undefined && { statusFallbackUrl: fallback }),
      ...(delivery && { delivery }),
    };
  }

  #delivery(
    { destination, format, transcription }: SinchRecordingOptions,
    { key: applicationKey }: SinchApplication,
    nameId: string,
  ): DeliveryWish | undefined {
    const url = destination?.url ?? this.#options.defaultDestination;
    if (url === undefined) return undefined;
    const locale = transcription?.locale;
    const wish = {
      ...{ url, format, stereo: false, applicationKey, nameId },
      ...(transcription && { transcription: locale === undefined ? {} : { locale } }),
    };
    return sealedWish(wish, destination?.credentials, this.#options.seal);
  }
}
