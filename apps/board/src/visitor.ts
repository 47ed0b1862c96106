import type { Request, Response } from 'express';

/** Who sends a request. */
export interface Visitor {
  /** the name given at login; '' if none was */
  who: string;
  /** false once the session has ended */
  isAdmitted(): boolean;
}

const ANYBODY: Visitor = { who: '', isAdmitted: () => true };

/** The login notes who it admitted. */
export function admit(response: Response, visitor: Visitor): void {
  response.locals.visitor = visitor;
}

/** Without BOARD_TOKEN there is no login, and nobody has a name. */
export const visitorOf = (response: Response): Visitor => response.locals.visitor ?? ANYBODY;

/** Who acts, as the log names it. */
export const actor = (request: Request, response: Response) => ({
  who: visitorOf(response).who,
  address: request.socket.remoteAddress ?? '',
});
