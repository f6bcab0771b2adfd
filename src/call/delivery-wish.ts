import { type CredentialSeal, credentialsAbout } from '../delivery/credential-seal.ts';
import type { Secret } from '../secret.ts';

/** Where the finished file of a recording is to be written to. */
export interface DeliveryWish {
  /** As `delivery/destinations/destination-url` has them. */
  url: string;
  /** Of the destination; made by `sealedWish`. They leave the wish for the delivery's row when the recording starts. */
  sealedCredentials?: string;
  format: 'wav' | 'mp3' | 'mp4';
  stereo: boolean;
  /** These two stand in generated names. */
  applicationKey: string;
  /** Id of the call, or of the conference. */
  nameId: string;
  transcription?: { locale?: string };
}

/** The wish with its credentials, sealed for this URL, application and call. */
export function sealedWish(
  wish: Omit<DeliveryWish, 'sealedCredentials'>,
  credentials: Secret | undefined,
  seal: CredentialSeal,
): DeliveryWish {
  if (!credentials) return wish;
  return { ...wish, sealedCredentials: seal.seal(credentials, credentialsAbout(wish)) };
}
