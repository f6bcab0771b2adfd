import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { PhoneCall } from '../../../src/testkit/phone-call.ts';
import { eventually } from '../eventually.ts';
import { isHeard, speak } from '../verb-stage.ts';
import { cli, recordingOptions, refusal, type SinchClient, sip } from './client.ts';

interface Placed {
  callId: string;
  call: PhoneCall;
}

/** A conference of two that were called into it. */
export function conferenceSuite(client: SinchClient): void {
  const { stage, voice, publicUrl, key } = client;

  suite('conferences', { concurrency: false }, () => {
    const conferenceId = 'room1';
    const placed: Placed[] = [];

    async function join(more: object = {}): Promise<Placed> {
      const { phone, call } = await stage.called();
      const { callId } = await voice.conferences.call({
        conferenceCalloutRequestBody: {
          method: 'conferenceCallout',
          conferenceCallout: { destination: sip(phone), conferenceId, cli, enableDice: true, ...more },
        },
      });
      return { callId: callId!, call: await call };
    }

    async function participants(count: number) {
      return await eventually(`${count} participants`, async () => {
        const { participants: found = [] } = await voice.conferences.get({ conferenceId });
        return found.length === count ? found : undefined;
      });
    }

    test('callouts bring them together; get lists them', async () => {
      const { url, sound } = stage.prompt(4000);
      assert.ok(url);
      placed.push(await join(), await join({ greeting: 'Welcome' }));
      assert.ok(sound.length > 0);
      const found = await participants(2);
      assert.deepEqual(found.map(({ id }) => id).toSorted(), placed.map(({ callId }) => callId).toSorted());
      for (const { muted, onhold, duration } of found) {
        assert.deepEqual([muted, onhold], [false, false]);
        assert.ok(duration! >= 0 && duration! < 60);
      }
      const [ann, bob] = placed;
      await client.says(ann!.call, bob!.call, true);
      await client.says(bob!.call, ann!.call, true);
    });

    test('manageParticipant: mute, unmute, onhold, resume', async () => {
      const [ann, bob] = placed as [Placed, Placed];
      const manage = async (command: 'mute' | 'unmute' | 'onhold' | 'resume', moh?: 'music1') => {
        await voice.conferences.manageParticipant({
          ...{ conferenceId, callId: ann.callId },
          manageParticipantRequestBody: { command, ...(moh && { moh }) },
        });
        await stage.scene.server.callreel.calls
          .conferenceOf(ann.callId)
          ?.worker.send({ verb: 'worker.stats' });
        return (await participants(2)).find(({ id }) => id === ann.callId)!;
      };
      assert.equal((await manage('mute')).muted, true);
      await client.says(ann.call, bob.call, false);
      await client.says(bob.call, ann.call, true);
      assert.equal((await manage('unmute')).muted, false);
      await client.says(ann.call, bob.call, true);
      const heardBefore = ann.call.received().length;
      assert.equal((await manage('onhold', 'music1')).onhold, true);
      await client.says(ann.call, bob.call, false);
      await client.says(bob.call, ann.call, false);
      const music = ann.call.received().subarray(heardBefore);
      assert.ok(music.filter((sample) => Math.abs(sample) > 300).length > 1000, 'music plays');
      assert.equal((await manage('resume')).onhold, false);
      await client.says(bob.call, ann.call, true);
      await client.says(ann.call, bob.call, true);
    });

    test('the conference is recorded by PATCH of its own, and told by its id', async () => {
      const [ann] = placed as [Placed, Placed];
      const patch = async (body: object) => {
        const pair = Buffer.from(`${key}:${stage.keys.applicationSecret}`).toString('base64');
        const response = await fetch(`${publicUrl}/calling/v1/conferences/id/${conferenceId}`, {
          method: 'PATCH',
          headers: { authorization: `Basic ${pair}`, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
        return [response.status, ((await response.json()) as { errorCode?: number }).errorCode];
      };
      assert.deepEqual(await patch({ command: 'stopRecording' }), [404, 40400]);
      assert.deepEqual(await patch({ command: 'startRecording', recordingOptions }), [200, undefined]);
      const elsewhere = { ...recordingOptions, destinationUrl: 'sdrive://elsewhere.wav' };
      const again = await patch({ command: 'startRecording', recordingOptions: elsewhere });
      assert.deepEqual(again, [400, 40003], 'what is not done is not said to be');
      const said = await speak(ann.call, 4000, client.newSeed());
      assert.deepEqual(await patch({ command: 'stopRecording' }), [200, undefined]);
      await stage.told(conferenceId, 'notify', 'recording_finished');
      await stage.told(conferenceId, 'notify', 'recording_available');
      const [recording] = await stage.recordings(({ connection_id: id }) => id === null);
      assert.ok(recording && isHeard(await stage.samples(recording), said));
      client.assertValid(conferenceId, ['recording_finished', 'recording_available']);
    });

    test('kickParticipant, kickAll', async () => {
      const [ann, bob] = placed as [Placed, Placed];
      await voice.conferences.kickParticipant({ conferenceId, callId: ann.callId });
      await ann.call.ended;
      const [left] = await participants(1);
      assert.equal(left?.id, bob.callId);
      const again = voice.conferences.kickParticipant({ conferenceId, callId: ann.callId });
      assert.deepEqual(await refusal(again), [404, 40400]);
      await voice.conferences.kickAll({ conferenceId });
      await bob.call.ended;
      await eventually('the conference is over', async () => {
        const gone = voice.conferences.get({ conferenceId }).then(
          () => undefined,
          () => true,
        );
        return await gone;
      });
      for (const { callId } of placed) {
        const dice = await stage.told(callId, 'dice');
        assert.deepEqual([dice.result, dice.reason], ['ANSWERED', 'MANAGERHANGUP']);
      }
      assert.deepEqual(await refusal(voice.conferences.kickAll({ conferenceId })), [404, 40400]);
    });
  });
}
