import { route } from '../http/route.ts';
import { userSearch } from '../search/userSearch.ts';

export const searchRoutes = [
  route('POST', '/plugins/wk.plugin.search/usersearch', 'UserSearch', async (context, request) => ({
    body: await userSearch(context, request),
  })),
];
