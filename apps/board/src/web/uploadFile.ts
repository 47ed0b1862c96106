import type { PartAnswer } from '../live/liveState.ts';
import { RefusedError, refusalOf, say } from './server.ts';
import { change, forget } from './state.ts';

const PARTS = 100_000;

/**
 * Uploads a list of recipients, and shows how far it is. The browser reads the file while it sends it. The number of its part
 * follows from the file, so the same file again changes nothing, and another one adds its recipients.
 * @returns undefined if it failed
 */
export async function uploadFile(no: string, file: File): Promise<PartAnswer | undefined> {
  const upload = { no, file: file.name, sent: 0, size: file.size };
  change({ upload });
  try {
    const answer = await put(no, file, (sent) => change({ upload: { ...upload, sent } }));
    change({ upload: { ...upload, sent: file.size, answer } });
    return answer;
  } catch (error) {
    say(error);
    forget('upload');
    return undefined;
  }
}

/** fetch does not tell how much of a body was sent. */
function put(no: string, file: File, onSent: (bytes: number) => void): Promise<PartAnswer> {
  const request = new XMLHttpRequest();
  request.open('PUT', `/actions/broadcasts/${encodeURIComponent(no)}/recipients/${partOf(file)}`);
  request.setRequestHeader('accept', 'application/json');
  if (file.name.endsWith('.gz')) request.setRequestHeader('content-encoding', 'gzip');
  request.upload.onprogress = ({ loaded }) => onSent(loaded);
  return new Promise((resolve, reject) => {
    request.onload = () => {
      if (request.status === 200) resolve(JSON.parse(request.responseText));
      else reject(refusalOf(request.status, request.responseText));
    };
    request.onerror = () => reject(new RefusedError('The upload was cut. Upload the same file again.', 0));
    request.send(file);
  });
}

/** FNV-1a of what tells files apart. */
function partOf({ name, size, lastModified }: File): number {
  let hash = 0x811c9dc5;
  for (const character of `${name} ${size} ${lastModified}`) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  return (hash >>> 0) % PARTS;
}
