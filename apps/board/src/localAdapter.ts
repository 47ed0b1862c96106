import type { AppViewRoute } from '@bull-board/api/typings/app';
import { ExpressAdapter } from '@bull-board/express';
import type { RequestHandler } from 'express';

/** What Bull Board's page asks another host for: its web font. */
export const FOREIGN_LINK = /<link\b[^>]*\bhref="https?:\/\/[^>]*>\s*/g;

/** Bull Board's pages without anything from another host, so that they work without internet and tell nobody who reads them. */
export class LocalAdapter extends ExpressAdapter {
  override setEntryRoute({ route, handler }: AppViewRoute): ExpressAdapter {
    const page: RequestHandler = (_request, response, next) => {
      const { name, params } = handler({ basePath: this.basePath, uiConfig: this.uiConfig });
      response.render(name, params, (error: Error | null, html: string) => {
        if (error) return next(error);
        response.type('html').send(html.replace(FOREIGN_LINK, ''));
      });
    };
    this.app.get(route, page);
    return this;
  }
}
