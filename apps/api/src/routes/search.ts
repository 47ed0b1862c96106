import { route } from '../http/route.ts';
import { userSearch } from '../search/userSearch.ts';

export const searchRoutes = [
  route({
    method: 'POST',
    path: '/plugins/wk.plugin.search/usersearch',
    operation: 'userSearch',
    summary: 'Finds the messages of one user',
    request: 'UserSearch',
    example: { uid: 'bob', payload: { content: 'hello' }, highlights: ['payload.content'] },
    answer: 'UserSearchAnswer',
    handle: async (context, request) => ({ body: await userSearch(context, request) }),
  }),
];
