import { z } from 'zod';
import { type CredentialSeal, credentialsAbout } from '../delivery/credential-seal.ts';
import { CallreelError } from '../errors.ts';
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

const keptWish = z.object({
  url: z.string(),
  sealedCredentials: z.string().exactOptional(),
  format: z.enum(['wav', 'mp3', 'mp4']),
  stereo: z.boolean(),
  applicationKey: z.string(),
  nameId: z.string(),
  transcription: z.object({ locale: z.string().exactOptional() }).exactOptional(),
});

/** Of the wishes of a recording, as its row or its manifest kept them. */
export function keptDeliveryWish(wishes: unknown): DeliveryWish | undefined {
  const { delivery } = (wishes ?? {}) as { delivery?: unknown };
  return keptWish.safeParse(delivery).data;
}

/** @throws CallreelError DESTINATION_INVALID for what no database keeps */
export function assertKeepable({ url, applicationKey, nameId }: DeliveryWish): void {
  if ([url, applicationKey, nameId].some((text) => text.includes('\0')))
    throw new CallreelError('DESTINATION_INVALID', 'the destination has a NUL in it', {
      where: 'destinationUrl',
    });
}

/** As rows, manifests and events may have it. */
export function withoutCredentials({ sealedCredentials: _, ...wish }: DeliveryWish): DeliveryWish {
  return wish;
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
