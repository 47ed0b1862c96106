/** A text, or anything as JSON, in the base64 that `payload` is sent in. */
export function textPayload(content: string | object): string {
  const bytes = new TextEncoder().encode(typeof content === 'string' ? content : JSON.stringify(content));
  let binary = '';
  // In slices: as arguments of one call a large payload would overflow the stack.
  for (let from = 0; from < bytes.length; from += 8192) {
    binary += String.fromCharCode(...bytes.subarray(from, from + 8192));
  }
  return btoa(binary);
}
