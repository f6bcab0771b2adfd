import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { CredentialSeal, credentialsAbout } from '../../delivery/credential-seal.ts';
import { Secret } from '../../secret.ts';
import type { SinchRecordingOptions } from './recording-options.ts';
import { WishMaker, type WishMakerOptions } from './recording-wishes.ts';

const seal = new CredentialSeal(new Secret(randomBytes(32)));
const application = {
  ...{ key: 'app', accountId: 'account', secret: new Secret('c2VjcmV0') },
  callbacks: { primary: 'https://app.example/1', fallback: 'https://app.example/2' },
};
const options: SinchRecordingOptions = {
  destination: { url: 's3://bucket/', credentials: new Secret('key:secret:region') },
  ...{ format: 'mp3', notificationEvents: true, transcription: undefined },
};
const maker = (more: Partial<WishMakerOptions> = {}) =>
  new WishMaker({ seal, publicUrl, defaultDestination: undefined, failureEvents: false, ...more });
const baseUrl = 'https://callreel.example';
const publicUrl = () => baseUrl;
const subject = { application, callId: 'call' };

describe('what a recording is started with', () => {
  it('is told in this dialect, signed by its application, by both URLs', () => {
    const { statusUrl, statusFallbackUrl, signer, dialect, dialectData, format } = maker().of(
      options,
      subject,
    );
    const urls = [application.callbacks.primary, application.callbacks.fallback];
    assert.deepEqual([statusUrl, statusFallbackUrl], urls);
    assert.deepEqual([signer, dialect, format], ['app', 'sinch', 'mp3']);
    assert.deepEqual(dialectData, {
      callId: 'call',
      applicationKey: 'app',
      notify: true,
      failures: false,
      baseUrl,
    });
    const alone = { ...application, callbacks: { primary: undefined, fallback: urls[1] } };
    const byFallback = maker().of(options, { ...subject, application: alone });
    assert.deepEqual([byFallback.statusUrl, byFallback.statusFallbackUrl], [urls[1], undefined]);
  });

  it('its credentials are sealed for this destination, call and application', () => {
    const { delivery } = maker().of(options, subject);
    assert.ok(delivery?.sealedCredentials);
    assert.equal(JSON.stringify(delivery).includes('secret:region'), false);
    const opened = seal.open(delivery.sealedCredentials, credentialsAbout(delivery));
    assert.equal(opened.reveal(), 'key:secret:region');
    assert.deepEqual([delivery.url, delivery.nameId, delivery.stereo], ['s3://bucket/', 'call', false]);
  });

  it('of a conference: its id, and nothing of the call', () => {
    const { dialectData, delivery } = maker({ failureEvents: true }).of(options, {
      ...subject,
      conferenceId: 'room',
    });
    assert.deepEqual(dialectData, {
      conferenceId: 'room',
      applicationKey: 'app',
      notify: true,
      failures: true,
      baseUrl,
    });
    assert.equal(delivery?.nameId, 'room');
  });

  it('without a destination: the default one, or none', () => {
    const plain = { ...options, destination: undefined };
    assert.equal(maker().of(plain, subject).delivery, undefined);
    const { delivery } = maker({ defaultDestination: 'sdrive://' }).of(plain, subject);
    assert.deepEqual(delivery, {
      ...{ url: 'sdrive://', format: 'mp3', stereo: false, applicationKey: 'app', nameId: 'call' },
    });
  });

  it('a transcript that is wanted is kept on record', () => {
    const { delivery, dialectData } = maker().of({ ...options, transcription: { locale: 'gd_GB' } }, subject);
    assert.deepEqual(delivery?.transcription, { locale: 'gd_GB' });
    assert.deepEqual(dialectData?.transcription, { locale: 'gd_GB' });
  });
});
