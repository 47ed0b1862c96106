/** The `id` of each kind of document. The same message always has the same ids, whoever makes its documents. */
export const documentId = {
  /** of a message in a log */
  message: (messageId: number): string => `m${messageId}`,
  /** of a chunk of a broadcast */
  chunk: (ref: string, chunk: number): string => `${ref}-${chunk}`,
  /** of a late recipient, who is not part of their chunk's document */
  lateRecipient: (ref: string, position: number): string => `${ref}-r${position}`,
};
