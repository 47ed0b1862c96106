import { deflateRawSync, inflateRawSync } from 'node:zlib';

/** Bitmap of the longest list of recipients that MAX_RECIPIENTS allows, 1,000,000, with room to spare. */
const MOST_BYTES = 1024 * 1024;

/**
 * Rising positions in a list as text: a deflated bitmap in base64. 100,000 of 100,000 take 40 bytes, as does a single one; half
 * of them at random take 17 KB, which is the most. As numbers they would take up to 590 KB.
 */
export function packPositions(positions: number[]): string {
  const bitmap = Buffer.alloc(((positions.at(-1) ?? -1) >> 3) + 1);
  for (const position of positions) bitmap[position >> 3] = (bitmap[position >> 3] ?? 0) | (1 << (position & 7));
  return deflateRawSync(bitmap).toString('base64');
}

/** @throws what zlib throws, if it is no text of `packPositions` */
export function unpackPositions(text: string): number[] {
  if (text === '') return [];
  const positions: number[] = [];
  const bitmap = inflateRawSync(Buffer.from(text, 'base64'), { maxOutputLength: MOST_BYTES });
  for (const [i, byte] of bitmap.entries()) {
    for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) positions.push(8 * i + bit);
  }
  return positions;
}
