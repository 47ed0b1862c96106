import type { UserSearchAnswer } from '@ruyi/contracts';
import { base64, fresh, group, type System } from './harness.ts';

export const say = (content: string, more: object = {}) => base64({ type: 1, content, ...more });
export const contents = ({ messages }: UserSearchAnswer) =>
  messages.map(({ payload }) => (typeof payload === 'string' ? payload : payload.content));
export const searching = (system: System) => {
  const search = (uid: string, content?: string, more: object = {}) =>
    system.search({ uid, ...(content === undefined ? {} : { payload: { content } }), ...more });
  const subscribe = (change: 'add' | 'remove', room: string, ...subscribers: string[]) =>
    system.post(`/channel/subscriber_${change}`, { ...group(room), subscribers });
  /** A user in a group of its own in which these texts were said, the last one last. */
  async function userWhoReads(...texts: string[]) {
    const [uid, room] = [fresh('ann'), fresh('room')];
    await subscribe('add', room, uid);
    for (const content of texts) await system.send({ ...group(room), payload: say(content) });
    await system.settled();
    return { uid, room };
  }
  return { search, subscribe, userWhoReads };
};
