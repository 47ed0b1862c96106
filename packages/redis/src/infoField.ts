/** A field of an answer to INFO or CLUSTER INFO; undefined if it has none of that name. */
export const infoField = (info: string, name: string): string | undefined =>
  new RegExp(`^${name}:([^\r\n]*)`, 'm').exec(info)?.[1];
