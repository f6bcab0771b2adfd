import type { ConversationBody } from './bodies.ts';
import { eventually } from './eventually.ts';
import type { Scene } from './scene.ts';

/** An ended conversation with its quality figures: on a machine that is busy they come a moment after its event. */
export function measuredConversation(scene: Scene, conversationId: string): Promise<ConversationBody> {
  return eventually('its quality figures', async () => {
    const conversation = await scene.conversation(conversationId);
    const { audio, channels } = conversation;
    const all = [audio!, ...channels.map((channel) => channel.audio)];
    return all.some(({ quality_note }) => quality_note === 'not_measured') ? undefined : conversation;
  });
}
